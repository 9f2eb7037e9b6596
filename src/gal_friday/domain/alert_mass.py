"""One cause that hits many accounts at once is one alert about all of them, and not one for each.

Where more accounts than a few hold the same kind of condition, an alert that belongs to no single account covers
them. Theirs are kept, muted by it, and told to nobody. Whoever was covered stays so until it is over there, so that
nobody is told twice, whichever way the number goes; what comes up when only a few are left is told by itself again.
Who is covered is read from the alerts as they stand: a restart changes nothing.

What differs, and adjustments that somebody has to look at, are never covered: each is about money of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest

from msgspec import Struct

from gal_friday.domain.alert import LINES_MAX, Alert, AlertKind, Group, alert_id, rank
from gal_friday.domain.alert_groups import cut
from gal_friday.domain.materiality import more_severe

TOGETHER = {
    AlertKind.RUN_FAILED: ("the last run failed", "/accounts"),
    AlertKind.RUN_MISSED: ("a run was due and did not happen", "/accounts"),
    AlertKind.STALE: ("not seen whole for too long", "/accounts"),
    AlertKind.REVIEW_OVERDUE: ("discrepancies wait for a person for too long", "/review"),
    AlertKind.BREAKER_TRIPPED: ("corrections stopped", "/accounts"),
    AlertKind.KEY_EXPIRING: ("the key ends soon, or has ended", "/accounts"),
}
"""What is told of many accounts as one: in which words, and where to look."""
MASS_IDS = {kind: alert_id(kind, "", "") for kind in TOGETHER}
"""The alert of each kind that is about many accounts."""


class Holding(Struct, frozen=True):
    """What holds, by the id of its alert, and why nobody is told of it; empty for told."""

    groups: Mapping[str, Group]
    muted: Mapping[str, str]


def massed(holding: Holding, standing: Mapping[str, Alert], *, alone: int) -> Holding:
    """Return what holds with one alert for what more than *alone* accounts have, which mutes theirs."""
    groups, muted = dict(holding.groups), dict(holding.muted)
    for kind, name in MASS_IDS.items():
        mine = [one for one in holding.groups.values() if one.kind is kind and one.account]
        before = _covered(name, standing)
        held = _held(mine, before, holding.muted, alone)
        if held:
            now = before | {one.id for one in held}
            groups[name] = _of_many(name, held, few=len(now) <= alone)
            muted[name] = min(holding.muted[one.id] for one in held)
            muted |= {one.id: name for one in mine if one.id in now}
    return Holding(groups, muted)


def _covered(name: str, standing: Mapping[str, Alert]) -> frozenset[str]:
    """Return the alerts of single accounts that the alert about many covers."""
    mass = standing.get(name)
    if mass is None or not mass.is_open:
        return frozenset()
    return frozenset(one.id for one in standing.values() if one.is_open and one.muted == name)


def _held(mine: Sequence[Group], before: Collection[str], muted: Mapping[str, str], alone: int) -> Sequence[Group]:
    told = [one for one in mine if not muted[one.id]]
    if len(told) > alone:
        return told
    # Where all that was covered is silenced, the alert goes on, silenced as they are.
    return [one for one in told if one.id in before] or [one for one in mine if one.id in before]


def _of_many(name: str, held: Sequence[Group], *, few: bool) -> Group:
    kind = held[0].kind
    words, path = TOGETHER[kind]
    worst = nsmallest(LINES_MAX, held, key=lambda one: (-rank(one.severity), one.since, one.account))
    count, rest = len(held), len(held) - len(worst)
    return Group(
        id=name,
        kind=kind,
        account="",
        exchange="",
        severity=more_severe(*{one.severity for one in held}),
        title=f"{count} accounts: {words}" if count > 1 else f"1 account: {words}",
        lines=(*map(_named, worst), *([f"and {rest} more"] if rest else [])),
        path=path,
        since=min(one.since for one in held),
        newest=None,
        magnitude=count,
        few=few,
        subjects=tuple(one.account for one in worst),
    )


def _named(one: Group) -> str:
    return cut(": ".join((one.account, one.title, *one.lines[:1])))
