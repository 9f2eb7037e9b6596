"""Discrepancies, and what people decide about them: every step of the review table has its address."""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec import Struct

from gal_friday.api.answers import encoded, fresh, tagged
from gal_friday.api.bodies import body_of
from gal_friday.api.documented import said, takes
from gal_friday.api.guard import Account, backend_of, known_discrepancy, seen_by
from gal_friday.api.once import Key, once
from gal_friday.api.paging import PAGE, Cursor, Limit, cursor_of, paged, place_of
from gal_friday.api.security import caller, check
from gal_friday.api.shapes import Discrepancies, Reviewed, WholeDiscrepancy, adjusted
from gal_friday.domain.access import Permission
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.materiality import Severity
from gal_friday.domain.plain import plain
from gal_friday.domain.review import Action, Reason, actions_from
from gal_friday.flows import decide, review
from gal_friday.flows.decide import Decided
from gal_friday.flows.door import Caller
from gal_friday.ports.pages import Chosen, Place

router = APIRouter(prefix="/api/discrepancies", tags=["discrepancies"])

Reader = Annotated[Caller, Depends(caller(Permission.READ))]
Reviewer = Annotated[Caller, Depends(caller(Permission.REVIEW))]
Approver = Annotated[Caller, Depends(caller(Permission.APPROVE))]
_REPAIRS_MAX = 1000
_State = Literal["suspected", "confirmed", "cleared"]


class Asked(TypedDict, total=False):
    """What somebody says with a step."""

    reason: Reason
    note: str
    until: datetime | None
    assignee: str


class Note(Struct, kw_only=True, forbid_unknown_fields=True):
    """A remark."""

    note: str = ""


class Assignment(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who is to look at it; nobody where it is empty."""

    assignee: str
    note: str = ""


class Turned(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why an adjustment is turned down."""

    reason: Reason
    note: str = ""


class Judgement(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is left as it is, and until when."""

    reason: Reason
    note: str = ""
    until: datetime | None = None


class Pause(Struct, kw_only=True, forbid_unknown_fields=True):
    """Until when it is put aside."""

    until: datetime
    note: str = ""


@router.get("", **said(Discrepancies))
async def discrepancies(
    request: Request,
    who: Reader,
    account: Account = None,
    cleared: Annotated[bool, Query(description="Those that were seen to agree as well.")] = False,
    type: Annotated[list[DiscrepancyType], Query(max_length=50)] = [],  # noqa: A002, B006 - its name is the contract's
    severity: Annotated[list[Severity], Query(max_length=10)] = [],  # noqa: B006 - never changed
    state: Annotated[list[_State], Query(max_length=10)] = [],  # noqa: B006 - never changed
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List discrepancies, the last seen first: the open ones, and others on request."""
    chosen = Chosen(
        cleared=cleared,
        types=frozenset(type),
        severities=frozenset(severity),
        states=frozenset(state),
    )
    pages = backend_of(request).pages
    found = await pages.discrepancies(seen_by(who, account), chosen, after=place_of(cursor), limit=limit + 1)
    page, more = paged(found, limit)
    ending = cursor_of(Place(page[-1].last_seen, page[-1].id)) if more else None
    content = {"discrepancies": [plain(one) for one in page], "count": len(page), "next_cursor": ending}
    return tagged(request, encoded(content))


@router.get("/{discrepancy_id}", **said(WholeDiscrepancy))
async def discrepancy(request: Request, who: Reader, discrepancy_id: str) -> Response:
    """Show one discrepancy: both sides, why, its whole life, its review, and what is proposed for it."""
    backend = backend_of(request)
    followed = await known_discrepancy(backend, who, discrepancy_id)
    looked = await review.look(backend.desk, followed.id)
    some = await backend.repairs.adjustments.adjustments(account=followed.account, limit=_REPAIRS_MAX)
    shown = WholeDiscrepancy(
        discrepancy=looked.followed,
        changes=tuple(await backend.desk.store.changes(followed.id)),
        review=looked.review,
        review_changes=looked.changes,
        actions=tuple(actions_from(looked.review.state)),
        adjustments=tuple(adjusted(one) for one in some if followed.id in one.adjustment.discrepancies),
    )
    return tagged(request, encoded(shown))


@router.post("/{discrepancy_id}/assign", **said(Reviewed), **takes(Assignment))
async def assign(request: Request, who: Reviewer, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Say who is to look at it."""
    body = await body_of(request, Assignment)
    ask: Asked = {"assignee": body.assignee, "note": body.note}
    return await _acted(request, who, discrepancy_id, Action.ASSIGN, idempotency_key, ask)


@router.post("/{discrepancy_id}/comment", **said(Reviewed), **takes(Note))
async def comment(request: Request, who: Reviewer, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Write a note."""
    body = await body_of(request, Note)
    return await _acted(request, who, discrepancy_id, Action.COMMENT, idempotency_key, {"note": body.note})


@router.post("/{discrepancy_id}/accept", **said(Reviewed), **takes(Judgement))
async def accept(request: Request, who: Approver, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Live with it as it is, until a stated end."""
    body = await body_of(request, Judgement)
    ask: Asked = {"reason": body.reason, "note": body.note, "until": body.until}
    return await _acted(request, who, discrepancy_id, Action.ACCEPT, idempotency_key, ask)


@router.post("/{discrepancy_id}/dispute", **said(Reviewed), **takes(Judgement))
async def dispute(request: Request, who: Reviewer, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Take it up with the exchange."""
    body = await body_of(request, Judgement)
    ask: Asked = {"reason": body.reason, "note": body.note, "until": body.until}
    return await _acted(request, who, discrepancy_id, Action.DISPUTE, idempotency_key, ask)


@router.post("/{discrepancy_id}/snooze", **said(Reviewed), **takes(Pause))
async def snooze(request: Request, who: Reviewer, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Put it aside until a stated end."""
    body = await body_of(request, Pause)
    ask: Asked = {"until": body.until, "note": body.note}
    return await _acted(request, who, discrepancy_id, Action.SNOOZE, idempotency_key, ask)


@router.post("/{discrepancy_id}/reopen", **said(Reviewed), **takes(Note, required=False))
async def reopen(request: Request, who: Reviewer, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Take a decision back."""
    body = await body_of(request, Note)
    return await _acted(request, who, discrepancy_id, Action.REOPEN, idempotency_key, {"note": body.note})


@router.post("/{discrepancy_id}/propose", **said(Reviewed), **takes(Note, required=False))
async def propose(request: Request, who: Reviewer, discrepancy_id: str, idempotency_key: Key = None) -> Response:
    """Propose what the last run could have posted for it; somebody else has to approve it."""
    body, backend = await body_of(request, Note), backend_of(request)
    followed = await known_discrepancy(backend, who, discrepancy_id)
    check(who, Permission.REVIEW, followed.account)

    async def work() -> Response:
        decided = await decide.propose(backend.repairs, followed.id, who.actor, note=body.note)
        return fresh(await after(request, followed.id, decided))

    return await once(request, backend, who, idempotency_key, work)


async def after(request: Request, discrepancy_id: str, decided: Decided) -> Reviewed:
    """Return what a decision about an adjustment led to for one of its discrepancies."""
    looked = await review.look(backend_of(request).desk, discrepancy_id)
    changes = tuple(one for one in decided.changes if one.discrepancy_id == discrepancy_id)
    return Reviewed(
        discrepancy_id=discrepancy_id, review=looked.review, changes=changes, adjustment=adjusted(decided.kept)
    )


async def _acted(
    request: Request, who: Caller, discrepancy_id: str, action: Action, key: str | None, ask: Asked
) -> Response:
    backend = backend_of(request)
    followed = await known_discrepancy(backend, who, discrepancy_id)
    check(who, Permission.APPROVE if action is Action.ACCEPT else Permission.REVIEW, followed.account)

    async def work() -> Response:
        looked = await review.act(backend.desk, followed.id, action, who.actor, **ask)
        said_ = Reviewed(discrepancy_id=followed.id, review=looked.review, changes=looked.changes, adjustment=None)
        return fresh(said_)

    return await once(request, backend, who, key, work)
