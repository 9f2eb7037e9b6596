"""The five addresses that the first specification of the system fixed: names, parameters and keys stay as they are."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from gal_friday.api.answers import encoded, fresh, raw, tagged
from gal_friday.api.backend import Backend
from gal_friday.api.documented import said
from gal_friday.api.guard import Account, backend_of, known_adjustment, meant, seen_by
from gal_friday.api.once import Key, once
from gal_friday.api.paging import PAGE, Cursor, Limit, cursor_of, paged, place_of
from gal_friday.api.security import caller, check
from gal_friday.api.shapes import Adjusted, Approval, Ran, Status, Summaries, adjusted
from gal_friday.domain.access import Permission
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode
from gal_friday.domain.review import Reason
from gal_friday.flows import decide
from gal_friday.flows.decide import Decided
from gal_friday.flows.door import Caller
from gal_friday.ports.pages import Place

router = APIRouter(prefix="/api/reconciliation", tags=["reconciliation"])

Reader = Annotated[Caller, Depends(caller(Permission.READ))]
Days = Annotated[int, Query(ge=1, le=3660, description="How far back.")]
_NOTES_MAX = 2000


@router.get("/status", **said(Status))
async def status(request: Request, who: Reader, account: Account = None) -> Response:
    """Say how the last run went and when the next one is due, of one account or of all together."""
    backend = backend_of(request)
    accounts = seen_by(who, account)
    latest = await backend.pages.latest(accounts)
    report = latest.report
    content = {
        "last_run": None if report is None else report.at,
        "next_run": await _next_run(backend, who, account),
        "consecutive_failures": latest.failures,
        "last_report": None if report is None else raw(report.summary),
    }
    return tagged(request, encoded(content))


@router.get("/reports", **said(Summaries))
async def reports(
    request: Request,
    who: Reader,
    days: Days = 7,
    only_discrepancies: bool = False,
    account: Account = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List reports, the newest first, each without the findings that agree; the whole is at /api/reports/{id}."""
    backend = backend_of(request)
    found = await backend.pages.reports(
        seen_by(who, account),
        since=_since(backend, days),
        only_discrepancies=only_discrepancies,
        after=place_of(cursor),
        limit=limit + 1,
    )
    page, more = paged(found, limit)
    ending = cursor_of(Place(page[-1].at, page[-1].reconciliation_id)) if more else None
    content = {"reports": [raw(one.summary) for one in page], "count": len(page), "next_cursor": ending}
    return tagged(request, encoded(content))


@router.get("/adjustments", **said(Adjusted))
async def adjustments(
    request: Request,
    who: Reader,
    trading_pair: Annotated[
        str | None, Query(max_length=100, description="An instrument or an asset; all of them where it is left out.")
    ] = None,
    days: Days = 30,
    account: Account = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List adjustments of the book, whatever became of them, the newest first."""
    backend = backend_of(request)
    found = await backend.repairs.adjustments.adjustments(
        accounts=seen_by(who, account),
        since=_since(backend, days),
        trading_pair=trading_pair or None,
        after=_behind(cursor),
        limit=limit + 1,
    )
    page, more = paged(found, limit)
    ending = cursor_of(Place(page[-1].adjustment.at, page[-1].id)) if more else None
    content = {"adjustments": [plain(adjusted(one)) for one in page], "count": len(page), "next_cursor": ending}
    return tagged(request, encoded(content))


@router.post("/run", **said(Ran))
async def run(
    request: Request,
    who: Annotated[Caller, Depends(caller(Permission.RUN))],
    account: Account = None,
    mode: Annotated[Mode | None, Query(description="What this run may do; the account's own mode by default.")] = None,
    idempotency_key: Key = None,
) -> Response:
    """Reconcile an account now, and answer with its report when it is done."""
    backend = backend_of(request)
    chosen = meant(backend, who, Permission.RUN, account)
    if mode is not None and mode is not Mode.OBSERVE:
        # A run that repairs more than the account is set to would be a decision that nobody made.
        check(who, Permission.APPROVE, chosen.name)

    async def work() -> Response:
        report = await backend.run(chosen.name, mode)
        return fresh({"status": report.status.value, "report": raw(report.to_json())})

    return await once(request, backend, who, idempotency_key, work)


@router.post("/approve-adjustment", **said(Approval))
async def approve_adjustment(
    request: Request,
    who: Annotated[Caller, Depends(caller(Permission.APPROVE))],
    adjustment_id: Annotated[str, Query(min_length=1, max_length=100)],
    approved: bool,
    notes: Annotated[str, Query(max_length=_NOTES_MAX)] = "",
    idempotency_key: Key = None,
) -> Response:
    """Approve or turn down an adjustment; what is approved is posted at once, and the answer says what came of it."""
    backend = backend_of(request)

    async def work() -> Response:
        decided = await _decided(backend, who, adjustment_id, approved=approved, notes=notes)
        return fresh({"status": decided.kept.state.value, "adjustment_id": decided.kept.id, "approved": approved})

    return await once(request, backend, who, idempotency_key, work)


async def _decided(backend: Backend, who: Caller, adjustment_id: str, *, approved: bool, notes: str) -> Decided:
    kept = await known_adjustment(backend, who, adjustment_id)
    check(who, Permission.APPROVE, kept.adjustment.account)
    if approved:
        return await decide.approve(backend.repairs, kept.id, who.actor, note=notes)
    reason = Reason.OTHER if notes.strip() else Reason.WRONG_REPAIR
    return await decide.reject(backend.repairs, kept.id, who.actor, reason=reason, note=notes)


async def _next_run(backend: Backend, who: Caller, account: str | None) -> datetime | None:
    if backend.schedules is None:
        return None
    planned = [one for one in await backend.schedules.all() if account in (None, one.account)]
    due = [one.due for one in planned if who.sees(one.account) and not one.is_paused]
    return min(due, default=None)


def _since(backend: Backend, days: int) -> datetime:
    return backend.clock.now() - timedelta(days=days)


def _behind(cursor: str | None) -> tuple[datetime, str] | None:
    place = place_of(cursor)
    return None if place is None else (place.at, place.id)
