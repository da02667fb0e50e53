"""The key in an address from which a list goes on."""

# The widest key that a column holds has 19 digits; one more digit would end in the database, not here.
_DIGITS = 18


def key_in(text: str) -> int | None:
    """The row id that ``after`` or ``before`` names; none for anything else: the list begins at its start."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
