"""Adjustments of the embedded books: looked at, approved, turned down, taken back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec import Struct

from gal_friday.api.answers import encoded, fresh, tagged
from gal_friday.api.bodies import body_of
from gal_friday.api.discrepancies import Note, Turned
from gal_friday.api.documented import said, takes
from gal_friday.api.guard import Account, backend_of, known_adjustment, seen_by
from gal_friday.api.once import Key, once
from gal_friday.api.paging import PAGE, Cursor, Limit, Since, cursor_of, instant_of, paged, place_of
from gal_friday.api.security import caller, check
from gal_friday.api.shapes import Adjusted, WholeAdjustment, adjusted, whole_adjustment
from gal_friday.domain.access import Permission
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import OtherContent
from gal_friday.domain.plain import plain
from gal_friday.flows import decide
from gal_friday.flows.door import Caller
from gal_friday.ports.pages import Place

router = APIRouter(prefix="/api/adjustments", tags=["adjustments"])

Reader = Annotated[Caller, Depends(caller(Permission.READ))]
Approver = Annotated[Caller, Depends(caller(Permission.APPROVE))]


class Consent(Struct, kw_only=True, forbid_unknown_fields=True):
    """What an approval is for."""

    note: str = ""
    content: str | None = None
    """The digest that was looked at; where it is given, anything else is refused."""


@router.get("", **said(Adjusted))
async def adjustments(
    request: Request,
    who: Reader,
    account: Account = None,
    state: Annotated[list[AdjustmentState], Query(max_length=20)] = [],  # noqa: B006 - never changed
    trading_pair: Annotated[str | None, Query(max_length=100, description="An instrument or an asset.")] = None,
    since: Since = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List adjustments, the newest first."""
    place = place_of(cursor)
    found = await backend_of(request).repairs.adjustments.adjustments(
        accounts=seen_by(who, account),
        states=state,
        since=instant_of(since),
        trading_pair=trading_pair or None,
        after=None if place is None else (place.at, place.id),
        limit=limit + 1,
    )
    page, more = paged(found, limit)
    ending = cursor_of(Place(page[-1].adjustment.at, page[-1].id)) if more else None
    content = {"adjustments": [plain(adjusted(one)) for one in page], "count": len(page), "next_cursor": ending}
    return tagged(request, encoded(content))


@router.get("/{adjustment_id}", **said(WholeAdjustment))
async def adjustment(request: Request, who: Reader, adjustment_id: str) -> Response:
    """Show one adjustment: what it posts, what it rests on, and every step of its life."""
    kept = await known_adjustment(backend_of(request), who, adjustment_id)
    return tagged(request, encoded(whole_adjustment(kept)))


@router.post("/{adjustment_id}/approve", **said(WholeAdjustment), **takes(Consent, required=False))
async def approve(request: Request, who: Approver, adjustment_id: str, idempotency_key: Key = None) -> Response:
    """Approve it, and post it to its book at once; who proposed it may not, where four eyes are asked for."""
    body, backend = await body_of(request, Consent), backend_of(request)
    kept = await known_adjustment(backend, who, adjustment_id)
    check(who, Permission.APPROVE, kept.adjustment.account)
    if body.content is not None and body.content != kept.adjustment.content:
        raise OtherContent(f"adjustment {kept.id} posts something else than you looked at; look at it again")

    async def work() -> Response:
        decided = await decide.approve(backend.repairs, kept.id, who.actor, note=body.note)
        return fresh(whole_adjustment(decided.kept))

    return await once(request, backend, who, idempotency_key, work)


@router.post("/{adjustment_id}/reject", **said(WholeAdjustment), **takes(Turned))
async def reject(request: Request, who: Approver, adjustment_id: str, idempotency_key: Key = None) -> Response:
    """Turn it down."""
    body, backend = await body_of(request, Turned), backend_of(request)
    kept = await known_adjustment(backend, who, adjustment_id)
    check(who, Permission.APPROVE, kept.adjustment.account)

    async def work() -> Response:
        decided = await decide.reject(backend.repairs, kept.id, who.actor, reason=body.reason, note=body.note)
        return fresh(whole_adjustment(decided.kept))

    return await once(request, backend, who, idempotency_key, work)


@router.post("/{adjustment_id}/undo", **said(WholeAdjustment), **takes(Note, required=False))
async def undo(request: Request, who: Approver, adjustment_id: str, idempotency_key: Key = None) -> Response:
    """Propose what takes it back; that is approved like any other, and both stay on record."""
    body, backend = await body_of(request, Note), backend_of(request)
    kept = await known_adjustment(backend, who, adjustment_id)
    check(who, Permission.APPROVE, kept.adjustment.account)

    async def work() -> Response:
        decided = await decide.undo(backend.repairs, kept.id, who.actor, note=body.note)
        return fresh(whole_adjustment(decided.kept))

    return await once(request, backend, who, idempotency_key, work)
