"""The pages: their addresses, what each reads, and the template that shows it; the larger ones have a file each.

Whoever is not signed in is sent to the door and comes back after it. What belongs to an account that they may not see
is answered as if it did not exist. Nothing here changes anything.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from starlette.staticfiles import StaticFiles

from gal_friday.domain.access import Permission, may
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.person import same_person
from gal_friday.domain.review import Action, Reason, actions_from
from gal_friday.flows import decide, review
from gal_friday.flows.door import Caller
from gal_friday.flows.standing import COUNTED, standing_of
from gal_friday.ports.pages import Place
from gal_friday.web import accounts, beside, course, history, journal, policy, queue, run, shown
from gal_friday.web.bridge import bridge_of
from gal_friday.web.frame import (
    PAGE,
    After,
    Choice,
    Missing,
    Visitor,
    begins_at,
    house_of,
    new_router,
    next_of,
    rendered,
    theirs,
    told_in_words,
)
from gal_friday.web.house import House
from gal_friday.web.manner import NUMBERS, sample, zones

_STRIP = 30
_CARDS = 6
"""So many accounts are shown in full; any others in a line each."""
_LINES = 200
_CAUSES = 12
_STATIC = Path(__file__).with_name("static")
_BY_PERSON = (
    Action.ASSIGN,
    Action.COMMENT,
    Action.PROPOSE,
    Action.ACCEPT,
    Action.DISPUTE,
    Action.SNOOZE,
    Action.REOPEN,
)

router = new_router()


class _Kept(StaticFiles):
    """Files that a browser keeps; it asks every time whether they are still the same, and is mostly told so at once."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        """Return the file, or that it is the same; see ``StaticFiles``."""
        answer = super().file_response(*given, **named)
        answer.headers["Cache-Control"] = "private, no-cache"
        return answer


def add_pages(app: FastAPI, house: House) -> None:
    """Give the application its pages."""
    app.state.house = house
    # Before the page of one run, whose address takes any name.
    reports = (beside.router, run.router)
    for one in (queue.router, router, accounts.router, *reports, history.router, journal.router, policy.router):
        app.include_router(one)
    app.mount("/static", _Kept(directory=_STATIC), name="static")
    told_in_words(app)


@router.get("/sign-in")
async def sign_in(request: Request, next: Annotated[str, Query(max_length=500)] = "/") -> Response:  # noqa: A002
    """Show the door. What stands behind the # of a link is read by the page and never sent here."""
    return rendered(request, None, "sign_in.html", {"next": _own_path(next)})


@router.get("/")
async def overview(request: Request, who: Visitor) -> Response:
    """Show how every account stands, the worst first and in full, and what is wrong."""
    house = house_of(request)
    names = [name for name in house.accounts if who.sees(name)]
    kept = {one.account: one for one in await house.schedules.all()} if house.schedules else {}
    counts = await house.desk.store.open_counts()
    found = shown.counted_by_account(counts)
    lines = sorted((shown.line(name, kept.get(name), found.get(name, 0)) for name in names), key=shown.rank)
    first = [house.accounts[one.account] for one in lines[:_CARDS]]
    strips: dict[str, list[shown.Tick]] = {}
    explained: dict[str, str] = {}
    for info in first:
        recent = await house.pages.reports((info.name,), limit=_STRIP)
        strips[info.name] = [shown.tick(one) for one in reversed(recent)]
        explained[info.name] = history.explained(recent[:1])
    accounts = [await standing_of(house.pages, house.schedules, info) for info in first]
    told = {
        "accounts": accounts,
        "lines": lines[_CARDS:_LINES],
        "more": max(0, len(lines) - _LINES),
        "strips": strips,
        "explained": explained,
        "severities": shown.counted_by_severity(counts, names),
        **await queue.wrong(house, who, limit=_CAUSES),
        "counted_to": COUNTED,
        "may_run": {info.name for info in first if who.may(Permission.RUN, info.name)},
        "may_pause": {info.name for info in first if who.may(Permission.OPERATE, info.name)},
        **shown.summed_up(accounts, lines),
    }
    return rendered(request, who, "overview.html", told, here="/")


@router.get("/discrepancies/{discrepancy_id}")
async def discrepancy(request: Request, who: Visitor, discrepancy_id: str) -> Response:
    """Show one discrepancy: both sides, the bridge between them, its history, and what can be done."""
    house = house_of(request)
    followed = await house.desk.store.discrepancy(discrepancy_id, accounts=who.grant.accounts.names)
    if followed is None or not who.sees(followed.account):
        raise Missing
    looked = await review.look(house.desk, followed.id)
    explanation = getattr(followed.latest, "bridge", None)
    some = await house.repairs.adjustments.adjustments(account=followed.account, limit=COUNTED)
    made = [one for one in some if followed.id in one.adjustment.discrepancies]
    told = {
        "followed": followed,
        "one": followed.latest,
        "explanation": explanation,
        "bridge": None if explanation is None else bridge_of(explanation),
        **course.shown(explanation),
        "review": looked.review,
        "history": shown.history(await house.desk.store.changes(followed.id), looked.changes),
        "elsewhere": await queue.elsewhere(house, followed),
        "proposals": [shown.proposal(one, who, followed) for one in made],
        "taking_back": {one.adjustment.reverses for one in made if one.state is AdjustmentState.PROPOSED},
        "needs_other": {one.id for one in made if house.repairs.needs_four_eyes(one.adjustment.value)},
        "has_other": await _has_other(house, who, followed.account),
        "acts": await _acts(house, who, looked),
        "reasons": [one.value for one in Reason],
        "may_run": who.may(Permission.RUN, followed.account),
    }
    return rendered(request, who, "discrepancy.html", told, here="/discrepancies")


@router.get("/adjustments")
async def adjustments(request: Request, who: Visitor, id: Choice = "", after: After = None) -> Response:  # noqa: A002
    """List adjustments, the newest first, or the one of this id."""
    made = house_of(request).repairs.adjustments
    if id:
        one = await made.adjustment(id, accounts=who.grant.accounts.names)
        if one is None or not who.sees(one.adjustment.account):
            raise Missing
        told = {"rows": [shown.adjustment(one)], "next": None, "alone": one.id}
        return rendered(request, who, "adjustments.html", told, here="/adjustments")
    place = begins_at(after)
    found = await made.adjustments(
        accounts=who.grant.accounts.names,
        after=None if place is None else (place.at, place.id),
        limit=PAGE + 1,
    )
    page = found[:PAGE]
    rows = [shown.adjustment(one) for one in page]
    following = next_of(request, found, page and Place(page[-1].adjustment.at, page[-1].id), {})
    told = {"rows": rows, "next": following, "alone": ""}
    return rendered(request, who, "adjustments.html", told, here="/adjustments")


@router.get("/runs")
async def runs(request: Request, who: Visitor, account: Choice = "", after: After = None) -> Response:
    """List runs, the newest first."""
    found = await house_of(request).pages.reports(theirs(who, account), after=begins_at(after), limit=PAGE + 1)
    page = found[:PAGE]
    place = page and Place(page[-1].at, page[-1].reconciliation_id)
    told = {
        "rows": [shown.run(one) for one in page],
        "next": next_of(request, found, place, {"account": account}),
    }
    return rendered(request, who, "runs.html", told, here="/runs")


@router.get("/you")
async def you(request: Request, who: Visitor) -> Response:
    """Show who is signed in, what they may, and their passkeys."""
    told = {"zones": zones(), "styles": [(style, sample(style)) for style in NUMBERS]}
    return rendered(request, who, "you.html", told, here="/you")


async def _has_other(house: House, who: Caller, account: str) -> bool:
    """Say whether somebody else may approve what this visitor proposes in an account."""
    return any(
        one.disabled is None
        and may(one.grant, Permission.APPROVE, account)
        and not same_person(one.name, who.actor.name)
        for one in await house.people()
    )


async def _acts(house: House, who: Caller, looked: review.Looked) -> Sequence[str]:
    """Return what this visitor can do about a discrepancy; not what would fail."""
    acts = [one for one in actions_from(looked.review.state) if _may(who, one, looked.followed.account)]
    if Action.PROPOSE in acts and not await decide.can_be_proposed(house.repairs, looked.followed):
        acts.remove(Action.PROPOSE)
    return [one.value for one in acts]


def _may(who: Caller, action: Action, account: str) -> bool:
    needed = Permission.APPROVE if action is Action.ACCEPT else Permission.REVIEW
    return action in _BY_PERSON and who.may(needed, account)


def _own_path(wanted: str) -> str:
    """Return the path that somebody wanted to see before they signed in; only one of ours."""
    # Browsers leave out tabs and line ends: "/<tab>/evil.example" is another machine.
    plain = wanted.isprintable() and wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if plain else "/"
