"""Why nobody is told of an alert for now: a silence, a maintenance window, or an alert that explains it.

What is muted is kept like anything else. Nothing here decides whether it holds.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from msgspec import Struct

from gal_friday.domain.alert import Alert, AlertKind, Group, Phase
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor
from gal_friday.domain.ids import digest
from gal_friday.domain.materiality import Severity

FIELDS = ("account", "kind", "exchange", "severity")
SILENCED_AT_MOST = timedelta(days=90)
_SHORT = 16


class MalformedSilence(GalFridayError, ValueError):
    """A silence that matches nothing or everything by mistake, has no end, or no reason."""


class Matcher(Struct, frozen=True):
    """What a silence is about: a field of the alert, and the value that it has to have."""

    field: str
    value: str


class Silence(Struct, frozen=True, kw_only=True):
    """Nobody is told of what matches, until an end."""

    id: str
    matchers: tuple[Matcher, ...]
    """All of them have to match; none matches every alert."""
    begins: datetime
    ends: datetime
    by: Actor
    why: str
    ended_by: Actor | None = None
    """Who ended it early."""

    def holds(self, now: datetime) -> bool:
        """Say whether it is in force."""
        return self.begins <= now < self.ends


class Window(Struct, frozen=True, kw_only=True):
    """A time that comes again every week, in UTC, in which nobody is told."""

    name: str
    days: frozenset[int]
    """0 is Monday."""
    begins: time
    ends: time
    """Not after *begins*: it ends on the day after."""
    accounts: tuple[str, ...] = ()
    """Only these; none for all."""

    def holds(self, now: datetime) -> bool:
        """Say whether it is that time."""
        return self.ending(now) is not None

    def ending(self, now: datetime) -> datetime | None:
        """Return the end of the window in which *now* lies; None where it lies in none."""
        there = now.astimezone(UTC)
        for day in (there.date() - timedelta(days=1), there.date()):
            if day.weekday() in self.days:
                begins = datetime.combine(day, self.begins, UTC)
                ends = datetime.combine(day if self.ends > self.begins else day + timedelta(days=1), self.ends, UTC)
                if begins <= there < ends:
                    return ends
        return None


class Inhibition(Struct, frozen=True):
    """While the one holds, the other follows from it, and is not told."""

    by: AlertKind
    mutes: AlertKind
    same: Literal["account", "exchange"]


INHIBITIONS = (
    Inhibition(AlertKind.OUTAGE, AlertKind.RUN_FAILED, "exchange"),
    Inhibition(AlertKind.OUTAGE, AlertKind.RUN_MISSED, "exchange"),
    Inhibition(AlertKind.OUTAGE, AlertKind.STALE, "exchange"),
    Inhibition(AlertKind.RUN_FAILED, AlertKind.STALE, "account"),
    Inhibition(AlertKind.RUN_FAILED, AlertKind.RUN_MISSED, "account"),
    Inhibition(AlertKind.RUN_MISSED, AlertKind.STALE, "account"),
    Inhibition(AlertKind.RUN_FAILED, AlertKind.BREAKER_TRIPPED, "account"),
)
"""What explains what. No chain leads back to its beginning."""


class Mutes(Struct, frozen=True, kw_only=True):
    """Everything that may keep people from being told."""

    silences: tuple[Silence, ...] = ()
    windows: tuple[Window, ...] = ()

    def why(self, group: Group, explaining: Mapping[tuple[AlertKind, str, str], str], now: datetime) -> str:
        """Return why nobody is told of this; empty where they are.

        *explaining* is what holds, as ``explanations`` returns it.
        """
        for silence in self.silences:
            if silence.holds(now) and all(_matches(matcher, group) for matcher in silence.matchers):
                return silence.id
        for window in self.windows:
            if window.holds(now) and (not window.accounts or group.account in window.accounts):
                return f"maintenance {window.name}"
        for rule in INHIBITIONS:
            if rule.mutes is group.kind:
                scope = group.account if rule.same == "account" else group.exchange
                if named := explaining.get((rule.by, rule.same, scope), ""):
                    return named
        return ""

    def next_end(self, now: datetime) -> datetime | None:
        """Return when the first of those that hold ends."""
        ends = [one.ends for one in self.silences if one.holds(now)]
        ends += [end for window in self.windows if (end := window.ending(now)) is not None]
        return min(ends, default=None)


def explanations(groups: Iterable[Group], standing: Iterable[Alert]) -> Mapping[tuple[AlertKind, str, str], str]:
    """Return what may explain other alerts: the id, by kind, ``account`` or ``exchange``, and the name of that.

    What has just gone explains still, until it is over: those that follow from it go a little later.
    """
    kinds = {rule.by for rule in INHIBITIONS}
    found = {(one.kind, one.account, one.exchange, one.id) for one in groups if one.kind in kinds}
    found |= {
        (one.kind, one.account, one.exchange, one.id)
        for one in standing
        if one.kind in kinds and one.is_open and one.phase is not Phase.PENDING
    }
    explaining: dict[tuple[AlertKind, str, str], str] = {}
    for kind, account, exchange, named in sorted(found):
        for same, scope in (("account", account), ("exchange", exchange)):
            if scope:
                explaining.setdefault((kind, same, scope), named)
    return explaining


def silence(matchers: Iterable[str], *, begins: datetime, ends: datetime, by: Actor, why: str) -> Silence:
    """Return a silence of alerts for which all of these hold, each as ``account=main``.

    Raises:
        MalformedSilence: no such field, an end that is no end, or no reason.
    """
    read = tuple(sorted((_read(text) for text in matchers), key=lambda one: (one.field, one.value)))
    if len({one.field for one in read}) != len(read):
        raise MalformedSilence("a field is named twice; what is to match one of two values needs two silences")
    if not begins < ends <= begins + SILENCED_AT_MOST:
        raise MalformedSilence(f"a silence ends after it begins, and within {SILENCED_AT_MOST.days} days")
    if not why.strip():
        raise MalformedSilence("say why: whoever misses an alert will ask")
    content = [begins.isoformat(), ends.isoformat(), by.name, why, *(f"{one.field}={one.value}" for one in read)]
    return Silence(id="sil_" + digest(*content)[:_SHORT], matchers=read, begins=begins, ends=ends, by=by, why=why)


def _read(text: str) -> Matcher:
    field, equals, value = (part.strip() for part in text.partition("="))
    if not equals or field not in FIELDS or not value:
        raise MalformedSilence(f"{text!r} is none of {', '.join(f'{name}=VALUE' for name in FIELDS)}")
    known: dict[str, list[str]] = {"kind": [*AlertKind], "severity": [*Severity]}
    if field in known and value not in known[field]:
        raise MalformedSilence(f"{value!r} is no {field}; known are {', '.join(known[field])}")
    return Matcher(field, value)


def _matches(matcher: Matcher, group: Group) -> bool:
    return str(getattr(group, matcher.field)) == matcher.value
