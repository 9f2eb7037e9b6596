"""Every page: its address, what it reads, and the template that shows it.

Whoever is not signed in is sent to the door and comes back after it. What belongs to an account that they may not see
is answered as if it did not exist. Nothing here changes anything.
"""

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from gal_friday.domain.access import Permission
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import FactKind
from gal_friday.domain.materiality import Severity
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.review import Action, Reason, actions_from
from gal_friday.flows import review
from gal_friday.flows.cursor import MalformedCursor, cursor_of, place_of
from gal_friday.flows.door import Caller
from gal_friday.flows.review import UnknownDiscrepancy
from gal_friday.flows.standing import COUNTED, standing_of
from gal_friday.ports.errors import SeveralMatch, StoreFailed
from gal_friday.ports.journal_reading import Wanted
from gal_friday.ports.pages import Chosen, Place
from gal_friday.web import shown
from gal_friday.web.bridge import bridge_of
from gal_friday.web.house import House
from gal_friday.web.rendering import TEMPLATES
from gal_friday.web.sheet import table_of

PLACES = (
    ("/", "Overview"),
    ("/discrepancies", "Discrepancies"),
    ("/adjustments", "Adjustments"),
    ("/runs", "Runs"),
    ("/journal", "Journal"),
    ("/policy", "Policy"),
)
_PAGE = 100
_STRIP = 30
_CARDS = 6
"""So many accounts are shown in full; any others in a line each."""
_LINES = 200
_CAUSES = 12
_KINDS = " ".join(FactKind)
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

After = Annotated[str | None, Query(max_length=400)]
Choice = Annotated[str, Query(max_length=100)]


class _InWords(APIRoute):
    """A page: whatever goes wrong is told to people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers, with a page for what cannot be read and for an address that nobody made."""
        answering = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await answering(request)
            except RequestValidationError:
                return _trouble(request, 422, "No such address", "Something in this address is not what a page takes.")
            except SeveralMatch as error:
                return _trouble(request, 404, "More than one", str(error))
            except StoreFailed:
                words = "The database could not be read. Nothing is lost; try again in a moment."
                return _trouble(request, 503, "Nothing can be shown now", words)

        return told


router = APIRouter(include_in_schema=False, route_class=_InWords)


class NotSignedIn(GalFridayError):
    """Nobody is signed in: they are sent to the door."""


class Missing(GalFridayError):
    """There is no such thing, or it is not theirs to see."""


def add_pages(app: FastAPI, house: House) -> None:
    """Give the application its pages."""
    app.state.house = house
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(NotSignedIn, _to_the_door)
    app.add_exception_handler(Missing, _missing)


async def visitor(request: Request) -> Caller:
    """Return who looks at a page."""
    house: House = request.app.state.house
    found = await house.known(request)
    if found is None or not found.allows(Permission.READ):
        raise NotSignedIn
    return found


Visitor = Annotated[Caller, Depends(visitor)]


@router.get("/sign-in")
async def sign_in(request: Request, next: Annotated[str, Query(max_length=500)] = "/") -> Response:  # noqa: A002
    """Show the door. What stands behind the # of a link is read by the page and never sent here."""
    return _page(request, None, "sign_in.html", {"next": _own_path(next)})


@router.get("/")
async def overview(request: Request, who: Visitor) -> Response:
    """Show how every account stands, the worst first and in full, and what is wrong."""
    house = _house(request)
    names = [name for name in house.accounts if who.sees(name)]
    kept = {one.account: one for one in await house.schedules.all()} if house.schedules else {}
    found = shown.counted_by_account(await house.desk.store.open_counts())
    lines = sorted((shown.line(name, kept.get(name), found.get(name, 0)) for name in names), key=shown.rank)
    first = [house.accounts[one.account] for one in lines[:_CARDS]]
    strips: dict[str, list[shown.Tick]] = {}
    causes: list[shown.Cause] = []
    for info in first:
        recent = await house.pages.reports((info.name,), limit=_STRIP)
        strips[info.name] = [shown.tick(one) for one in reversed(recent)]
        causes.extend(shown.causes(recent[0]) if recent else ())
    causes.sort(key=lambda one: (one.value is not None, one.value or ZERO), reverse=True)
    accounts = [await standing_of(house.pages, house.schedules, info) for info in first]
    told = {
        "accounts": accounts,
        "lines": lines[_CARDS:_LINES],
        "more": max(0, len(lines) - _LINES),
        "strips": strips,
        "causes": causes[:_CAUSES],
        "anything_open": any(one.open for one in lines),
        "counted_to": COUNTED,
        "may_run": {info.name for info in first if who.may(Permission.RUN, info.name)},
        "may_pause": {info.name for info in first if who.may(Permission.OPERATE, info.name)},
        **shown.summed_up(accounts, lines),
    }
    return _page(request, who, "overview.html", told, here="/")


@router.get("/discrepancies")
async def discrepancies(
    request: Request,
    who: Visitor,
    account: Choice = "",
    severity: Choice = "",
    state: Choice = "",
    after: After = None,
) -> Response:
    """List discrepancies: where one page holds them all, the gravest first; else the last seen first."""
    house, chosen = _house(request), _chosen(severity, state)
    found = await house.pages.discrepancies(_theirs(who, account), chosen, after=_place(after), limit=_PAGE + 1)
    page = found[:_PAGE]
    if after is None and len(found) <= _PAGE:
        page = shown.gravest_first(page)
    reviews = await house.desk.reviews.reviews(one.id for one in page)
    rows = [{"followed": one, "review": shown.review_in_short(reviews.get(one.id))} for one in page]
    choice = {"account": account, "severity": severity, "state": state}
    told = {
        "rows": rows,
        "chosen": choice,
        "choice": urlencode(choice),
        "names": [name for name in sorted(house.accounts) if who.sees(name)],
        "severities": [one.value for one in reversed(Severity)],
        "next": _further(request, found, page and Place(page[-1].last_seen, page[-1].id), choice),
    }
    return _page(request, who, "discrepancies.html", told, here="/discrepancies")


@router.get("/discrepancies.csv")
async def as_csv(
    request: Request, who: Visitor, account: Choice = "", severity: Choice = "", state: Choice = ""
) -> Response:
    """Give discrepancies as a table for other programs: the last seen first, and no more than are counted anywhere."""
    chosen = _chosen(severity, state)
    found = await _house(request).pages.discrepancies(_theirs(who, account), chosen, limit=COUNTED)
    headers = {"Content-Disposition": 'attachment; filename="discrepancies.csv"'}
    return Response(table_of(found), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/discrepancies/{discrepancy_id}")
async def discrepancy(request: Request, who: Visitor, discrepancy_id: str) -> Response:
    """Show one discrepancy: both sides, the bridge between them, its history, and what can be done."""
    house = _house(request)
    try:
        looked = await review.look(house.desk, discrepancy_id)
    except UnknownDiscrepancy:
        raise Missing from None
    followed = looked.followed
    if not who.sees(followed.account):
        raise Missing
    explanation = getattr(followed.latest, "bridge", None)
    some = await house.repairs.adjustments.adjustments(account=followed.account, limit=COUNTED)
    made = [one for one in some if followed.id in one.adjustment.discrepancies]
    told = {
        "followed": followed,
        "one": followed.latest,
        "explanation": explanation,
        "bridge": None if explanation is None else bridge_of(explanation),
        "review": looked.review,
        "history": shown.history(await house.desk.store.changes(followed.id), looked.changes),
        "proposals": [shown.proposal(one, who) for one in made],
        "acts": [
            one.value
            for one in actions_from(looked.review.state)
            if one in _BY_PERSON and _may(who, one, followed.account)
        ],
        "reasons": [one.value for one in Reason],
        "may_run": who.may(Permission.RUN, followed.account),
    }
    return _page(request, who, "discrepancy.html", told, here="/discrepancies")


@router.get("/adjustments")
async def adjustments(request: Request, who: Visitor, after: After = None) -> Response:
    """List adjustments, the newest first."""
    place = _place(after)
    found = await _house(request).repairs.adjustments.adjustments(
        accounts=who.grant.accounts.names,
        after=None if place is None else (place.at, place.id),
        limit=_PAGE + 1,
    )
    page = found[:_PAGE]
    rows = [shown.adjustment(one) for one in page]
    told = {"rows": rows, "next": _further(request, found, page and Place(page[-1].adjustment.at, page[-1].id), {})}
    return _page(request, who, "adjustments.html", told, here="/adjustments")


@router.get("/runs")
async def runs(request: Request, who: Visitor, account: Choice = "", after: After = None) -> Response:
    """List runs, the newest first."""
    found = await _house(request).pages.reports(_theirs(who, account), after=_place(after), limit=_PAGE + 1)
    page = found[:_PAGE]
    place = page and Place(page[-1].at, page[-1].reconciliation_id)
    told = {
        "rows": [shown.run(one) for one in page],
        "next": _further(request, found, place, {"account": account}),
    }
    return _page(request, who, "runs.html", told, here="/runs")


@router.get("/runs/{reconciliation_id}")
async def run(request: Request, who: Visitor, reconciliation_id: str) -> Response:
    """Show one report."""
    found = await _house(request).pages.report(reconciliation_id)
    if found is None or not who.sees(found.account):
        raise Missing
    told = shown.report(ReconciliationReport.from_json(found.content))
    return _page(request, who, "run.html", told, here="/runs")


@router.get("/journal")
async def journal(
    request: Request,
    who: Visitor,
    kind: Choice = "",
    subject: Choice = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """List the facts, the newest first."""
    house = _house(request)
    wanted = Wanted(accounts=who.grant.accounts.names, kind=kind or None, subject=subject or None)
    found = await house.journal.before(wanted, seq=before, limit=_PAGE + 1)
    page, choice = found[:_PAGE], {"kind": kind, "subject": subject}
    further = {**choice, "before": str(page[-1].seq)} if len(found) > _PAGE else None
    told = {
        "rows": [shown.entry(one) for one in page],
        "head": await house.journal.head(),
        "chosen": choice,
        "next": f"/journal?{urlencode(further)}" if further else None,
    }
    return _page(request, who, "journal.html", told, here="/journal")


@router.get("/policy")
async def policy(request: Request, who: Visitor) -> Response:
    """Show every limit in effect."""
    in_effect = _house(request).policy
    told = {"version": in_effect.version, "limits": shown.limits(in_effect)}
    return _page(request, who, "policy.html", told, here="/policy")


@router.get("/you")
async def you(request: Request, who: Visitor) -> Response:
    """Show who is signed in, what they may, and their passkeys."""
    return _page(request, who, "you.html", {}, here="/you")


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _page(
    request: Request, who: Caller | None, template: str, told: Mapping[str, Any], *, here: str = "", status: int = 200
) -> Response:
    house = _house(request)
    common = {
        "who": who,
        "places": PLACES,
        "here": here,
        "now": house.clock.now(),
        "valued_in": house.policy.reporting_currency,
        "live": request.url.path if here not in ("", "/you") else "",
        "kinds": _KINDS,
    }
    return HTMLResponse(TEMPLATES.get_template(template).render(common | dict(told)), status_code=status)


def _chosen(severity: str, state: str) -> Chosen:
    return Chosen(
        cleared=state == "cleared",
        severities=frozenset(one for one in Severity if one == severity),
        states=frozenset({state} if state in ("suspected", "confirmed", "cleared") else ()),
    )


def _theirs(who: Caller, account: str) -> Any:
    """Return the accounts that a list is about: the one that was chosen, or all that they may see."""
    if not account:
        return who.grant.accounts.names
    if not who.sees(account):
        raise Missing
    return (account,)


def _may(who: Caller, action: Action, account: str) -> bool:
    needed = Permission.APPROVE if action is Action.ACCEPT else Permission.REVIEW
    return action in _BY_PERSON and who.may(needed, account)


def _place(after: str | None) -> Place | None:
    """Return where a page begins."""
    try:
        return place_of(after)
    except MalformedCursor:
        raise Missing from None


def _further(request: Request, found: Any, last: Any, choice: Mapping[str, str]) -> str | None:
    if len(found) <= _PAGE:
        return None
    kept = {name: value for name, value in choice.items() if value}
    return f"{request.url.path}?{urlencode({**kept, 'after': cursor_of(last)})}"


def _own_path(wanted: str) -> str:
    """Return the path that somebody wanted to see before they signed in; only one of ours."""
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if plain else "/"


async def _to_the_door(request: Request, _error: Exception) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)


async def _missing(request: Request, _error: Exception) -> Response:
    return _trouble(
        request, 404, "There is no such thing", "It never was, or is of an account that is not yours to see."
    )


def _trouble(request: Request, status: int, title: str, words: str) -> Response:
    return _page(request, None, "trouble.html", {"title": title, "words": words}, status=status)
