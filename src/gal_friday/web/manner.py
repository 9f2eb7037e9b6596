"""How somebody reads times and numbers: their time zone, and the signs in their numbers.

It comes with each request as a cookie that their browser keeps, and changes what pages say, never what is recorded,
sent to programs or taken away as a table: those have UTC and a point. What a cookie says that is no choice of ours
counts as nothing said.
"""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from gal_friday.domain.instants import instant

COOKIE = "reads"
"""Its value is ``zone:numbers``, such as ``Europe/Berlin:point-comma``."""


class Numbers(Struct, frozen=True):
    """What stands between thousands, and before the fraction."""

    group: str
    point: str


NUMBERS = {
    "space-point": Numbers("\u2009", "."),
    "space-comma": Numbers("\u2009", ","),
    "comma-point": Numbers(",", "."),
    "point-comma": Numbers(".", ","),
    "apostrophe-point": Numbers("’", "."),
    "plain-point": Numbers("", "."),
}


class Manner(Struct, frozen=True):
    """What somebody chose."""

    zone: str = "UTC"
    style: str = "space-point"

    @property
    def numbers(self) -> Numbers:
        """The signs in numbers."""
        return NUMBERS[self.style]

    def instant(self, at: datetime) -> str:
        """Return an instant to the second, in this zone and with its name: ``2026-03-01 13:00:00 CET``."""
        if self.zone == "UTC":
            return instant(at)
        there = at.astimezone(ZoneInfo(self.zone))
        return f"{there:%Y-%m-%d %H:%M:%S} {there.tzname()}"


AS_RECORDED = Manner()


def manner_of(cookie: str | None) -> Manner:
    """Return what was chosen; as it is recorded, where nothing was."""
    zone, _, style = (cookie or "").partition(":")
    return Manner(
        zone if zone in zones() else AS_RECORDED.zone,
        style if style in NUMBERS else AS_RECORDED.style,
    )


@cache
def zones() -> tuple[str, ...]:
    """Return the zones that this machine knows, by name."""
    return tuple(
        sorted({"UTC", *(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))})
    )


def sample(style: str) -> str:
    """Return a number in this style, to choose it by."""
    numbers = NUMBERS[style]
    return f"1{numbers.group}234{numbers.group}567{numbers.point}89"
