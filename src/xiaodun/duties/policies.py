"""Names and rules of duties without a database."""

from datetime import date


def subject_of(duty_code: str, unit_id: int, day: date) -> str:
    """The name under which ladders and messages know one duty of one unit on one day."""
    return f"duty:{duty_code}:{unit_id}:{day.isoformat()}"
