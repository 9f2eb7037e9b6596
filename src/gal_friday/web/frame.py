"""What every page is made in: who looks, how a page is put together, and what is said where something goes wrong."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Annotated, Any, cast
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from gal_friday.domain.access import Permission
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import FactKind
from gal_friday.flows.cursor import MalformedCursor, cursor_of, place_of
from gal_friday.flows.door import Caller
from gal_friday.ports.errors import SeveralMatch, StoreFailed
from gal_friday.ports.pages import Place
from gal_friday.web.house import House
from gal_friday.web.manner import COOKIE, manner_of
from gal_friday.web.rendering import TEMPLATES

PLACES = (
    ("/", "Overview"),
    ("/accounts", "Accounts"),
    ("/discrepancies", "Discrepancies"),
    ("/adjustments", "Adjustments"),
    ("/runs", "Runs"),
    ("/history", "History"),
    ("/journal", "Journal"),
    ("/policy", "Policy"),
)
PAGE = 100
"""Rows on one page of a list."""
_KINDS = " ".join(FactKind)

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
                words = "Something in this address is not what a page takes."
                return await _trouble(request, 422, "No such address", words)
            except SeveralMatch as error:
                return await _trouble(request, 404, "More than one", str(error))
            except StoreFailed:
                words = "The database could not be read. Nothing is lost; try again in a moment."
                # Who asks is known to the database alone, which is not asked twice.
                return _said(request, None, 503, "Nothing can be shown now", words)

        return told


class NotSignedIn(GalFridayError):
    """Nobody is signed in: they are sent to the door."""


class Missing(GalFridayError):
    """There is no such thing, or it is not theirs to see."""


def new_router() -> APIRouter:
    """Return an empty table of pages."""
    return APIRouter(include_in_schema=False, route_class=_InWords)


def told_in_words(app: FastAPI) -> None:
    """Let the application say to people who is not signed in, and what there is not."""
    app.add_exception_handler(NotSignedIn, _to_the_door)
    app.add_exception_handler(Missing, _missing)
    otherwise = app.exception_handlers[HTTPException]

    async def nowhere(request: Request, error: Exception) -> Response:
        asks_for_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if not asks_for_page:
            return await cast("Awaitable[Response]", otherwise(request, error))
        return await _trouble(request, 404, "No such page", "There is nothing at this address.")

    app.add_exception_handler(404, nowhere)


async def visitor(request: Request) -> Caller:
    """Return who looks at a page."""
    house: House = request.app.state.house
    found = await house.known(request)
    if found is None or not found.allows(Permission.READ):
        raise NotSignedIn
    return found


Visitor = Annotated[Caller, Depends(visitor)]


def house_of(request: Request) -> House:
    """Return what the pages stand on."""
    house: House = request.app.state.house
    return house


def rendered(
    request: Request, who: Caller | None, template: str, told: Mapping[str, Any], *, here: str = "", status: int = 200
) -> Response:
    """Return a template as an answer, with what stands on every page."""
    house = house_of(request)
    common = {
        "who": who,
        "places": PLACES,
        "here": here,
        "now": house.clock.now(),
        "valued_in": house.policy.reporting_currency,
        "live": request.url.path if here not in ("", "/you") else "",
        "kinds": _KINDS,
        "manner": manner_of(request.cookies.get(COOKIE)),
    }
    return HTMLResponse(TEMPLATES.get_template(template).render(common | dict(told)), status_code=status)


def theirs(who: Caller, account: str) -> Any:
    """Return the accounts that a list is about: the one that was chosen, or all that they may see."""
    if not account:
        return who.grant.accounts.names
    if not who.sees(account):
        raise Missing
    return (account,)


def begins_at(after: str | None) -> Place | None:
    """Return where a page begins."""
    try:
        return place_of(after)
    except MalformedCursor:
        raise Missing from None


def next_of(request: Request, found: Any, last: Any, choice: Mapping[str, str]) -> str | None:
    """Return the address of the next page, which begins after *last*; None where this one holds the rest."""
    if len(found) <= PAGE:
        return None
    kept = {name: value for name, value in choice.items() if value}
    return f"{request.url.path}?{urlencode({**kept, 'after': cursor_of(last)})}"


async def _to_the_door(request: Request, _error: Exception) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)


async def _missing(request: Request, _error: Exception) -> Response:
    return await _trouble(
        request, 404, "There is no such thing", "It never was, or is of an account that is not yours to see."
    )


async def _trouble(request: Request, status: int, title: str, words: str) -> Response:
    try:
        who = await house_of(request).known(request)
    except StoreFailed:
        who = None
    return _said(request, who, status, title, words)


def _said(request: Request, who: Caller | None, status: int, title: str, words: str) -> Response:
    return rendered(request, who, "trouble.html", {"title": title, "words": words}, status=status)
