"""The accounts that a service looks after, as far as time and call budgets are concerned."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from gal_friday.domain.schedule import Planned, Timing, paced


class Account(Struct, frozen=True, kw_only=True):
    """One account that is to be reconciled again and again."""

    name: str
    exchange: str
    timing: Timing
    key: str = ""
    """What tells its key from others, and not the key: accounts that share one share its budget. Empty is its own."""
    points_per_hour: int | None = None
    """What the exchange gives back of the key's call budget; None is without limit."""


def timings_of(accounts: Iterable[Account], planned: Mapping[str, Planned]) -> dict[str, Timing]:
    """Return how often each account can be read, by name: as often as configured, or as its key's budget can bear."""
    known = tuple(accounts)
    points: dict[str, int] = {}
    for one in known:
        spent = planned[one.name].spent if one.name in planned else 0
        points[_key(one)] = points.get(_key(one), 0) + spent
    return {one.name: paced(one.timing, points=points[_key(one)], points_per_hour=one.points_per_hour) for one in known}


def _key(one: Account) -> str:
    return one.key or one.name
