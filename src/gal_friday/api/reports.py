"""Reports, to the byte as they were written, a list of them, and one worked out again."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gal_friday.api.answers import encoded, fresh, raw, tagged
from gal_friday.api.backend import Backend
from gal_friday.api.documented import said
from gal_friday.api.guard import Account, backend_of, seen_by, unknown
from gal_friday.api.paging import PAGE, Cursor, Limit, Since, cursor_of, instant_of, paged, place_of
from gal_friday.api.problem import Problem
from gal_friday.api.security import caller
from gal_friday.api.shapes import Summaries
from gal_friday.domain.access import Permission
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.door import Caller
from gal_friday.flows.replay import ReplayTold
from gal_friday.ports.pages import Place, StoredReport

router = APIRouter(prefix="/api/reports", tags=["reports"])
Reader = Annotated[Caller, Depends(caller(Permission.READ))]


@router.get("", **said(Summaries))
async def reports(
    request: Request,
    who: Reader,
    account: Account = None,
    since: Since = None,
    only_discrepancies: bool = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List reports, the newest first, each without the findings that agree."""
    found = await backend_of(request).pages.reports(
        seen_by(who, account),
        since=instant_of(since),
        only_discrepancies=only_discrepancies,
        after=place_of(cursor),
        limit=limit + 1,
    )
    page, more = paged(found, limit)
    ending = cursor_of(Place(page[-1].at, page[-1].reconciliation_id)) if more else None
    content = {"reports": [raw(one.summary) for one in page], "count": len(page), "next_cursor": ending}
    return tagged(request, encoded(content))


@router.get("/{reconciliation_id}/replay", **said(ReplayTold))
async def replay(request: Request, who: Reader, reconciliation_id: str) -> Response:
    """Work a report out again from what its run was told, and name the first difference; one at a time."""
    backend = backend_of(request)
    found = await _known(backend, who, reconciliation_id)
    one_at_a_time: asyncio.Lock = request.app.state.replaying
    async with one_at_a_time:
        told = await backend.replay(found.reconciliation_id)
    if told is None:
        raise _unknown(reconciliation_id)
    return fresh(told)


@router.get("/{reconciliation_id}", **said(ReconciliationReport))
async def report(request: Request, who: Reader, reconciliation_id: str) -> Response:
    """Show one report, found by its id or the beginning of it, as the very bytes that the journal has the digest of."""
    return tagged(request, (await _known(backend_of(request), who, reconciliation_id)).content)


async def _known(backend: Backend, who: Caller, reconciliation_id: str) -> StoredReport:
    found = await backend.pages.report(reconciliation_id, who.grant.accounts.names)
    if found is None or not who.sees(found.account):
        raise _unknown(reconciliation_id)
    return found


def _unknown(reconciliation_id: str) -> Problem:
    return unknown("report", reconciliation_id, "GET /api/reports")
