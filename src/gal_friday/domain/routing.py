"""Which channels hear of a notice, and from when on: by severity, account and hour of the day.

Nothing here sends anything.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from gal_friday.domain.alert import AlertKind, Notice, What, rank
from gal_friday.domain.materiality import Severity

_FOLLOWS = (What.RESOLVED, What.ACKNOWLEDGED)
"""News of an alert that only concern those who heard of it."""


class Quiet(Struct, frozen=True):
    """Hours in UTC in which what is less grave waits."""

    begins: time
    ends: time
    """Not after *begins*: it ends on the day after."""
    below: Severity = Severity.CRITICAL

    def over_at(self, now: datetime) -> datetime:
        """Return when these hours end, or *now* where it is none of them."""
        there = now.astimezone(UTC)
        for day in (there.date() - timedelta(days=1), there.date()):
            begins = datetime.combine(day, self.begins, UTC)
            ends = datetime.combine(day if self.ends > self.begins else day + timedelta(days=1), self.ends, UTC)
            if begins <= there < ends:
                return ends
        return now


class Route(Struct, frozen=True, kw_only=True):
    """What one channel hears of."""

    channel: str
    severity: Severity = Severity.LOW
    """From this severity on."""
    accounts: tuple[str, ...] = ()
    """Only these, and what concerns no account; none for all."""
    only_escalated: bool = False
    """Only what nobody has taken on in time."""
    quiet: Quiet | None = None


class Addressed(Struct, frozen=True):
    """A channel that hears of a notice, and from when on."""

    channel: str
    not_before: datetime


def addressed(notice: Notice, routes: Iterable[Route], told: Iterable[str] = ()) -> tuple[Addressed, ...]:
    """Return who hears of this notice; *told* are the channels that heard of the same episode before."""
    known = set(told)
    return tuple(Addressed(route.channel, _from(notice, route)) for route in _hearing(notice, routes, known))


def _hearing(notice: Notice, routes: Iterable[Route], told: set[str]) -> Iterator[Route]:
    for route in routes:
        if notice.what in _FOLLOWS:
            if route.channel in told:
                yield route
        elif not _is_about(notice, route) and (route.channel in told or _hears(notice, route)):
            yield route


def _is_about(notice: Notice, route: Route) -> bool:
    """Say whether the notice tells that this very channel takes nothing."""
    return notice.kind is AlertKind.CHANNEL_FAILING and route.channel in notice.subjects


def _hears(notice: Notice, route: Route) -> bool:
    if rank(notice.severity) < rank(route.severity) or (route.only_escalated and not notice.escalated):
        return False
    return not route.accounts or not notice.account or notice.account in route.accounts


def _from(notice: Notice, route: Route) -> datetime:
    if route.quiet is None or rank(notice.severity) >= rank(route.quiet.below):
        return notice.at
    return route.quiet.over_at(notice.at)
