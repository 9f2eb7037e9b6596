"""The pages of the policy: its limits and their versions, and what recorded runs would have decided under others."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request, Response
from msgspec import Struct

from gal_friday.domain.decision import Choice
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import written
from gal_friday.domain.policy import Mode
from gal_friday.domain.policy_facts import limits_of
from gal_friday.domain.redecided import DECIDES
from gal_friday.flows.redecide import Answer, UnusableLimits, redecide
from gal_friday.ports.journal_reading import JournalReading, StoredEntry, Wanted
from gal_friday.web import amounts
from gal_friday.web.frame import Choice as Chosen
from gal_friday.web.frame import Missing, Visitor, house_of, new_router, rendered, theirs

router = new_router()
_VERSIONS = 50
_CHANGES = 200
_SHARE, _CURRENCY = "share", "currency"
UNITS: Mapping[str, str] = {
    "tolerance": "of the asset",
    "tolerances": "of the asset",
    "medium_threshold": _SHARE,
    "high_threshold": _SHARE,
    "critical_threshold": _SHARE,
    "medium_value": _CURRENCY,
    "high_value": _CURRENCY,
    "critical_value": _CURRENCY,
    "trivial_value": _CURRENCY,
    "reporting_currency": "",
    "max_price_age_minutes": "minutes",
    "confirmations": "runs",
    "grace_seconds": "seconds",
    "graces": "seconds",
    "pending_runs": "runs",
    "reach_back_days": "days",
    "auto_correct_threshold": _SHARE,
    "auto_correct_max_value": _CURRENCY,
    "proven_max_value": _CURRENCY,
    "corrections_per_hour": "repairs",
    "corrections_per_day": "repairs",
    "corrected_value_per_hour": _CURRENCY,
    "corrected_value_per_day": _CURRENCY,
    "breaker_discrepancies": "at once",
    "breaker_flips": "times",
    "four_eyes": "",
    "four_eyes_value": _CURRENCY,
    "proposals_expire_hours": "hours",
}
"""What the number of each limit counts: a share is said in percent too, money in the currency of its version."""
Days = Annotated[int, Query(ge=1, le=3650)]
ModeWord = Literal["", "observe", "propose", "enforce"]


class Version(Struct, frozen=True, kw_only=True):
    """A policy that was in effect from some instant on."""

    id: str
    limits: Mapping[str, str]
    since: datetime | None = None
    seq: int | None = None
    who: str = ""
    changed: tuple[str, ...] = ()
    """What was otherwise in the version before it."""


class Limit(Struct, frozen=True):
    """One limit, as it is and as it is in another version."""

    name: str
    value: str
    unit: str
    other: str | None
    decides: bool
    """Whether it decides about a repair."""


@router.get("/policy")
async def policy(request: Request, who: Visitor, version: Chosen = "", against: Chosen = "") -> Response:
    """Show every limit of a version, and where another version differs."""
    house = house_of(request)
    now = house.policy
    versions = await _versions(house.journal)
    known = {one.id: one for one in reversed(versions)} | {now.version: Version(id=now.version, limits=limits_of(now))}
    shown = known.get(version or now.version)
    if shown is None or (against and against not in known):
        raise Missing
    told = {
        "shown": shown,
        "against": against,
        "in_effect": now.version,
        "limits": sorted(_limits(shown.limits, known[against].limits if against else None), key=_is_the_same),
        "versions": versions,
    }
    return rendered(request, who, "policy.html", told, here="/policy")


@router.get("/policy/check")
async def check(
    request: Request, who: Visitor, days: Days = 30, mode: ModeWord = "", account: Chosen = "", asked: Chosen = ""
) -> Response:
    """Show what recorded runs would have decided under the limits of this address; nothing is changed or posted."""
    house, now = house_of(request), limits_of(house_of(request).policy)
    query = request.query_params
    tried = {name: query.get(name, now[name])[:100].strip() for name in DECIDES}
    answer, wrong = None, ""
    if asked:
        try:
            candidate = house.otherwise([f"{name}={value}" for name, value in tried.items() if value != now[name]])
        except UnusableLimits as error:
            wrong = str(error)
        else:
            seen = theirs(who, account)
            how = Mode(mode) if mode else None
            answer = await redecide(house.pages, house.clock, candidate, accounts=seen, days=days, mode=how)
    told = {
        "tried": [(name, tried[name], now[name], unit_of(name, now)) for name in DECIDES],
        "days": days,
        "mode": mode,
        "modes": [one.value for one in Mode],
        "account": account,
        "names": [name for name in sorted(house.accounts) if who.sees(name)],
        "wrong": wrong,
        "live": "",  # what is tried here is decided again when somebody asks, and not whenever something happens
        **_answered(answer),
    }
    return rendered(request, who, "policy_check.html", told, here="/policy")


def _answered(answer: Answer | None) -> Mapping[str, Any]:
    if answer is None:
        return {"answer": None}
    found = answer.told
    return {
        "answer": answer,
        "counts": [(one.value, found.was.get(one, 0), found.would.get(one, 0)) for one in Choice],
        "changes": found.changes[::-1][:_CHANGES],
        "left_out": max(0, len(found.changes) - _CHANGES),
    }


def _is_the_same(one: Limit) -> bool:
    return one.other is None


def _limits(limits: Mapping[str, str], others: Mapping[str, str] | None) -> Iterator[Limit]:
    names = [*limits, *(name for name in others or () if name not in limits)]
    for name in names:
        value = _shown(limits, name)
        other = None if others is None else _shown(others, name)
        yield Limit(name, value, unit_of(name, limits), None if other == value else other, name in DECIDES)


def _shown(limits: Mapping[str, str], name: str) -> str:
    """Return a limit as people read it: a table without a row says so."""
    value = limits.get(name, "–")
    return "none" if value == "{}" else value


def unit_of(name: str, limits: Mapping[str, str]) -> str:
    """Return what stands behind the number of a limit; nothing where it has no unit, or no number."""
    value, unit = _shown(limits, name), UNITS.get(name, "")
    if value in ("–", "none"):
        return ""
    if unit == _SHARE:
        return f"= {amounts.share(Decimal(value))}"
    if unit == _CURRENCY:
        return limits.get("reporting_currency", "")
    return unit.removesuffix("s") if value == "1" else unit


async def _versions(journal: JournalReading) -> Sequence[Version]:
    """Return the versions that were in effect, the newest first."""
    found = await journal.before(Wanted(kind=FactKind.POLICY_CHANGED.value), limit=_VERSIONS)
    versions: list[Version] = []
    for one in reversed(found):
        versions.append(_version(one, versions[-1].limits if versions else None))
    return versions[::-1]


def _version(stored: StoredEntry, before: Mapping[str, str] | None) -> Version:
    said = written(stored.text)
    limits = msgspec.convert(said.body.get("limits"), dict[str, str])
    return Version(
        id=said.subject,
        limits=limits,
        since=datetime.fromisoformat(said.at),
        seq=stored.seq,
        who=said.actor.name,
        changed=() if before is None else tuple(one.name for one in _limits(limits, before) if one.other is not None),
    )
