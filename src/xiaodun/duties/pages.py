"""Where a duty is done: the app that owns the page tells its address, so that reminders lead there."""

from collections.abc import Callable
from datetime import date

from xiaodun.organisations.models import Unit

Address = Callable[[Unit, date], str]

_addresses: dict[str, Address] = {}


def register(*, evidence: str, address: Address) -> None:
    """Tell in ``AppConfig.ready()`` where this evidence is made; ``ValueError`` if that is known already."""
    if evidence in _addresses:
        raise ValueError(f"Two pages say that {evidence!r} is made there.")
    _addresses[evidence] = address


def address_of(*, evidence: str, unit: Unit, day: date) -> str:
    """The page on which the unit gives this evidence; "" where it has none (machines, imports)."""
    address = _addresses.get(evidence)
    return "" if address is None else address(unit, day)
