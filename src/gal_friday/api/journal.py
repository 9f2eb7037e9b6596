"""The journal: entries to the byte, the newest head, a proof for every entry, and whether it is what was written."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from gal_friday.api.answers import encoded, fresh, raw, tagged
from gal_friday.api.documented import said
from gal_friday.api.guard import Account, backend_of, seen_by, unknown
from gal_friday.api.paging import PAGE, Limit, Since, Until, instant_of, paged
from gal_friday.api.security import caller, check
from gal_friday.api.shapes import Entries, Heads, Inclusion, JournalHead, Verification, VerificationProgress
from gal_friday.api.verifying import Verifying
from gal_friday.domain.access import Permission
from gal_friday.domain.journal import Written
from gal_friday.flows.door import Caller
from gal_friday.ports.journal_reading import PROOF_FORMAT, StoredEntry, Wanted

router = APIRouter(prefix="/api/journal", tags=["journal"])

Reader = Annotated[Caller, Depends(caller(Permission.READ))]
Seq = Annotated[int, Path(ge=1, le=2**62, description="The entry's place, counted from 1.")]


@router.get("", **said(Entries))
async def entries(
    request: Request,
    who: Reader,
    account: Account = None,
    kind: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_]+$")] = None,
    subject: Annotated[str | None, Query(max_length=100, description="An id, or its beginning.")] = None,
    actor: Annotated[str | None, Query(max_length=200, description="Who did it, by name.")] = None,
    since: Since = None,
    until: Until = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before.")] = None,
    limit: Limit = PAGE,
) -> Response:
    """List entries, the newest first."""
    wanted = Wanted(
        accounts=seen_by(who, account),
        kind=kind,
        subject=subject or None,
        actor=actor,
        since=instant_of(since),
        until=instant_of(until, "until"),
    )
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


@router.get("/heads", **said(Heads))
async def heads(
    request: Request,
    who: Reader,
    cursor: Annotated[int | None, Query(ge=1, le=2**62, description="`next_cursor` of the page before.")] = None,
    limit: Limit = PAGE,
) -> Response:
    """List signed heads, the newest first."""
    check(who, Permission.READ, "")
    found = await backend_of(request).journal.heads(number=cursor, limit=limit + 1)
    page, more = paged(found, limit)
    ending = str(page[-1].head.number) if more else None
    return tagged(request, encoded(Heads(heads=tuple(page), count=len(page), next_cursor=ending)))


@router.get("/verification", **said(Verification))
async def verification(request: Request, who: Reader) -> Response:
    """Look at every byte of the journal, and at the rows that it speaks of; it goes on though nobody waits for it."""
    check(who, Permission.READ, "")
    return fresh(await _verifying(request).result(backend_of(request)))


@router.get("/verification/progress", **said(VerificationProgress))
async def progress(request: Request, who: Reader) -> Response:
    """Show how far the verification is that somebody asked for, and what the last one came to."""
    check(who, Permission.READ, "")
    return fresh(_verifying(request).progress())


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
        form=PROOF_FORMAT,
        seq=found.seq,
        entry=found.entry,
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


def _verifying(request: Request) -> Verifying:
    verifying: Verifying = request.app.state.verifying
    return verifying
