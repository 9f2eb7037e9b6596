"""What our own errors, and those of the framework, are called in an answer. Nothing internal is ever told.

Each class of error has one status, one code for programs and one title; the detail is the error's own message, which
says what happened, to what, and what to do next.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gal_friday.api.problem import Problem, answer
from gal_friday.api.shield import dress
from gal_friday.domain.errors import (
    GalFridayError,
    IllegalStep,
    MalformedSnapshot,
    OtherContent,
    Overtaken,
    SamePerson,
)
from gal_friday.domain.pushed import MalformedPush
from gal_friday.domain.remark import MalformedRemark
from gal_friday.domain.review import IllegalAction
from gal_friday.flows.decide import NothingToDecide
from gal_friday.flows.review import UnknownDiscrepancy
from gal_friday.ports.errors import (
    AccountBusy,
    BookFailed,
    ExchangeFailed,
    NoOpening,
    ReviewOvertaken,
    SeveralMatch,
    StoreFailed,
    WorldFailed,
)

_LATER = {"Retry-After": "5"}

# From the most to the least particular: the first class that fits names the answer.
NAMED: tuple[tuple[type[GalFridayError], int, str, str], ...] = (
    (UnknownDiscrepancy, 404, "unknown-discrepancy", "No such discrepancy"),
    (NothingToDecide, 409, "nothing-to-decide", "Nothing to decide"),
    (SamePerson, 403, "same-person", "Somebody else has to approve"),
    (IllegalAction, 409, "illegal-action", "Not possible from here"),
    (IllegalStep, 409, "illegal-step", "Not possible from here"),
    (OtherContent, 409, "other-content", "It is not what you looked at"),
    (Overtaken, 409, "overtaken", "Somebody was faster"),
    (ReviewOvertaken, 409, "overtaken", "Somebody was faster"),
    (MalformedRemark, 422, "bad-remark", "It cannot be kept as it is"),
    (MalformedSnapshot, 422, "bad-snapshot", "The snapshot cannot be read"),
    (MalformedPush, 422, "bad-record", "A record cannot be read"),
    (AccountBusy, 409, "account-busy", "The account is being reconciled"),
    (SeveralMatch, 409, "ambiguous-id", "Several ids begin so"),
    (NoOpening, 422, "bad-snapshot", "No book can begin so"),
    (BookFailed, 503, "book-failed", "The book cannot be read or written"),
    (StoreFailed, 503, "store-failed", "The database cannot be read or written"),
    (ExchangeFailed, 502, "exchange-failed", "The exchange gave no usable answer"),
    (WorldFailed, 503, "not-available", "Not available now"),
)
_HTTP: Mapping[int, tuple[str, str, str]] = {
    404: ("not-found", "No such address", "there is nothing at this address; /openapi.json lists what there is"),
    405: ("method-not-allowed", "Not with this method", "this address takes other methods; see the header Allow"),
}


def answer_failures(app: FastAPI) -> None:
    """Have *app* answer every failure as problem+json."""
    app.add_exception_handler(GalFridayError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def problem_of(error: GalFridayError) -> Problem:
    """Return what an error of ours is called in an answer."""
    for kind, status, code, title in NAMED:
        if isinstance(error, kind):
            place = {"place": error.place} if isinstance(error, MalformedPush) else {}
            headers = _LATER if status == 503 or kind is AccountBusy else {}
            return Problem(status, code, title, str(error), headers=headers, **place)
    return Problem(422, "refused", "Refused", str(error))


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, GalFridayError)
    problem = problem_of(error)
    if isinstance(error, WorldFailed) and not getattr(request.state, "known", False):
        # Where the database is, and as whom it is asked, is nobody's business who has not come in.
        problem.detail = "it cannot be told now who you are; try again in a moment"
    return answer(problem)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [_place(each) for each in error.errors()]
    detail = "; ".join(f"{one['place']}: {one['reason']}" for one in wrong)
    return answer(Problem(422, "bad-parameter", "A parameter is not what it has to be", detail, errors=wrong))


def _place(each: Mapping[str, Any]) -> dict[str, str]:
    where, *name = each.get("loc", ("request",))
    return {"place": ".".join(map(str, name)) or str(where), "reason": str(each.get("msg", "cannot be read"))}


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, title, detail = _HTTP.get(error.status_code, ("refused", "Refused", str(error.detail)))
    return answer(Problem(error.status_code, code, title, detail, headers=error.headers))


async def _gone(_request: Request, _error: Exception) -> Response:
    # Whoever sent half a body went away: nothing was done, nobody hears this, and it is no mistake of the program.
    return Response(status_code=400)


async def _unexpected(request: Request, _error: Exception) -> Response:
    # The last line of defence: whoever runs the service finds the rest in its log.
    detail = "this is a mistake of the program, and is in its log; nothing was left half done"
    response = answer(Problem(500, "internal", "A mistake of this program", detail))
    if hasattr(request.state, "request_id"):
        dress(response.headers, request.scope)  # The framework answers this from before the shield.
    return response
