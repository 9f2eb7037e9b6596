"""The pages of accounts: how each stands, and what keeps the checks of one going."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from fastapi import Request, Response
from msgspec import Struct

from gal_friday.domain.access import Permission
from gal_friday.domain.policy import Mode
from gal_friday.domain.schedule import Obstacle, Planned, Why
from gal_friday.flows.standing import AccountInfo, standing_of
from gal_friday.flows.vitals import Budget, KeyLooked, Live, vitals_of
from gal_friday.web import shown
from gal_friday.web.frame import Missing, Visitor, house_of, new_router, rendered
from gal_friday.web.times import for_people

router = new_router()

BECAUSE: Mapping[str, str] = {
    Why.START: "the service began to look after it",
    Why.INTERVAL: "it is time again",
    Why.REQUESTED: "somebody asked for it",
    Why.STREAM: "the exchange's stream told of something, or may have missed something",
    Why.RETRY: "the run before it did not succeed",
}
HELD: Mapping[str, str] = {
    Obstacle.LOCKOUT: "the exchange has locked the key for a while, and every further call would prolong that",
    Obstacle.REFUSED: "the exchange refuses the key or the request: a person has to act",
    Obstacle.THROTTLED: "the exchange said that there were too many calls",
    Obstacle.MAINTENANCE: "the exchange is closed for a while",
    Obstacle.OUTAGE: "the exchange gave no usable answer",
    Obstacle.BUSY: "somebody else reconciles the account at this moment",
    Obstacle.HERE: "it failed on this side: the book, the database or the configuration; see the last run",
}
MODES: Mapping[str, str] = {
    Mode.OBSERVE: "Differences are told, and nothing is proposed or posted.",
    Mode.PROPOSE: "Repairs are proposed, and a person decides about every one.",
    Mode.ENFORCE: "What the records prove, within the limits of the policy, is posted without a person.",
}
_WORST = ("failed", "warning", "ok")


class Line(Struct, frozen=True, kw_only=True):
    """An account in the list."""

    account: str
    exchange: str
    mode: str
    verdict: str
    words: str
    key: str
    """How the last look at its key ended: an outcome, or empty where nobody looked."""
    key_words: str
    budget: str
    stream: str
    complete: datetime | None
    due: datetime | None
    paused: bool
    held: str
    failures: int


@router.get("/accounts")
async def accounts(request: Request, who: Visitor) -> Response:
    """List the accounts, those whose checks are in trouble first."""
    house = house_of(request)
    kept = {one.account: one for one in await house.schedules.all()} if house.schedules else {}
    mine = [info for name, info in sorted(house.accounts.items()) if who.sees(name)]
    rows = [_line(info, kept.get(info.name), house.live(info.name)) for info in mine]
    rows.sort(key=lambda one: (one.key != "failed", not one.held, -one.failures, one.account))
    return rendered(request, who, "accounts.html", {"rows": rows}, here="/accounts")


@router.get("/accounts/{name}")
async def account(request: Request, who: Visitor, name: str) -> Response:
    """Show what keeps the checks of an account going: freshness, schedule, key, call budget, stream, mode."""
    house = house_of(request)
    if name not in house.accounts or not who.sees(name):
        raise Missing
    info = house.accounts[name]
    vitals = await vitals_of(house.pages, house.schedules, name, house.live(name))
    told = {
        "one": await standing_of(house.pages, house.schedules, info),
        "vitals": vitals,
        "because": BECAUSE,
        "held": HELD,
        "mode_words": MODES[info.mode],
        "interval": for_people(timedelta(seconds=vitals.interval_seconds)),
        "paced": for_people(timedelta(seconds=vitals.paced_seconds)),
        "spent": _spent(vitals.budget),
        "may_run": who.may(Permission.RUN, name),
        "may_pause": who.may(Permission.OPERATE, name),
    }
    return rendered(request, who, "account.html", told, here="/accounts")


def _line(info: AccountInfo, planned: Planned | None, live: Live) -> Line:
    standing = shown.line(info.name, planned, 0)
    held = planned.held if planned is not None else None
    key, words = _key(live.key)
    return Line(
        account=info.name,
        exchange=info.exchange,
        mode=info.mode.value,
        verdict=standing.mark,
        words=standing.words,
        key=key,
        key_words=words,
        budget=_in_short(live.budget),
        stream="–" if not live.stream.wanted else "connected" if live.stream.connected else "not connected",
        complete=standing.complete,
        due=standing.due,
        paused=planned is not None and planned.is_paused,
        held="" if held is None else held.obstacle.value,
        failures=0 if planned is None else planned.failures,
    )


def _key(looked: KeyLooked | None) -> tuple[str, str]:
    if looked is None:
        return "", "not looked at"
    worst = min((one.outcome for one in looked.checks), key=_WORST.index, default="ok")
    said = [one.name for one in looked.checks if one.outcome == worst]
    return worst, "read-only" if worst == "ok" else _several(said)


def _several(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _spent(budget: Budget) -> float | None:
    return None if budget.limit is None or budget.left is None else round(budget.limit - budget.left, 1)


def _in_short(budget: Budget) -> str:
    if budget.limit is None:
        return "no limit"
    spent = _spent(budget)
    return f"? of {budget.limit:g}" if spent is None else f"{spent:g} of {budget.limit:g}"
