"""The journal: entries to the byte, the newest head, a proof for every entry, and whether it is what was written."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from gal_friday.api.answers import encoded, fresh, raw, tagged
from gal_friday.api.documented import said
from gal_friday.api.guard import Account, backend_of, seen_by, unknown
from gal_friday.api.paging import PAGE, Limit, Since, instant_of, paged
from gal_friday.api.security import caller, check
from gal_friday.api.shapes import Entries, Inclusion, JournalHead, Verification
from gal_friday.domain.access import Permission
from gal_friday.domain.journal import Written
from gal_friday.flows.door import Caller
from gal_friday.ports.journal_reading import StoredEntry, Wanted

router = APIRouter(prefix="/api/journal", tags=["journal"])

Reader = Annotated[Caller, Depends(caller(Permission.READ))]
Seq = Annotated[int, Path(ge=1, le=2**62, description="The entry's place, counted from 1.")]
_WORTH_SECONDS = 60
"""A verification reads everything: whoever asks within this time gets the last one."""


@router.get("", **said(Entries))
async def entries(
    request: Request,
    who: Reader,
    account: Account = None,
    kind: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_]+$")] = None,
    subject: Annotated[str | None, Query(max_length=100, description="An id, or its beginning.")] = None,
    since: Since = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before.")] = None,
    limit: Limit = PAGE,
) -> Response:
    """List entries, the newest first."""
    wanted = Wanted(accounts=seen_by(who, account), kind=kind, subject=subject or None, since=instant_of(since))
    found = await backend_of(request).journal.before(wanted, seq=cursor, limit=limit + 1)
    page, more = paged(found, limit)
    content = {
        "entries": [raw(one.text) for one in page],
        "count": len(page),
        "next_cursor": str(page[-1].seq) if more else None,
    }
    return tagged(request, encoded(content))


@router.get("/head", **said(JournalHead))
async def head(request: Request, who: Reader) -> Response:
    """Show the newest signed head: keep it outside, and nobody can cut the journal unnoticed."""
    check(who, Permission.READ, "")
    return tagged(request, encoded(JournalHead(head=await backend_of(request).journal.head())))


@router.get("/verification", **said(Verification))
async def verification(request: Request, who: Reader) -> Response:
    """Look at every byte of the journal, and at the rows that it speaks of."""
    check(who, Permission.READ, "")
    return fresh(await _verified(request))


@router.get("/{seq}", **said(Written))
async def entry(request: Request, who: Reader, seq: Seq) -> Response:
    """Show one entry, as the very bytes that are sealed."""
    return tagged(request, (await _seen(request, who, seq)).text)


@router.get("/{seq}/proof", **said(Inclusion))
async def proof(request: Request, who: Reader, seq: Seq) -> Response:
    """Show that one entry is under the newest head, without trusting this program: RFC 9162, 2.1.3."""
    await _seen(request, who, seq)
    found = await backend_of(request).journal.proof(seq)
    if found is None:
        raise unknown("entry", str(seq), "GET /api/journal")
    shown = Inclusion(
        seq=found.seq,
        entry=found.entry.decode(),
        leaf=found.leaf,
        index=found.index,
        size=found.size,
        path=found.path,
        signed=found.signed,
        public_key=found.public_key,
    )
    return tagged(request, encoded(shown))


async def _seen(request: Request, who: Caller, seq: int) -> StoredEntry:
    found = await backend_of(request).journal.one(seq)
    if found is None or not who.sees(found.account):
        raise unknown("entry", str(seq), "GET /api/journal")
    return found


async def _verified(request: Request) -> Verification:
    backend, state = backend_of(request), request.app.state
    lock: asyncio.Lock = state.verifying
    async with lock:
        last: Verification | None = state.verified
        now = backend.clock.now()
        if last is None or not 0 <= (now - last.checked_at).total_seconds() < _WORTH_SECONDS:
            last = state.verified = Verification(checked_at=now, result=await backend.journal.verify())
        return last
