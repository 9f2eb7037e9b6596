"""The page of the journal."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Request, Response
from msgspec import Struct

from gal_friday.ports.journal_reading import StoredEntry, Wanted
from gal_friday.web.frame import PAGE, Choice, Visitor, house_of, new_router, rendered

router = new_router()


@router.get("/journal")
async def journal(
    request: Request,
    who: Visitor,
    kind: Choice = "",
    subject: Choice = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """List the facts, the newest first."""
    house = house_of(request)
    wanted = Wanted(accounts=who.grant.accounts.names, kind=kind or None, subject=subject or None)
    found = await house.journal.before(wanted, seq=before, limit=PAGE + 1)
    page, choice = found[:PAGE], {"kind": kind, "subject": subject}
    further = {**choice, "before": str(page[-1].seq)} if len(found) > PAGE else None
    told = {
        "rows": [entry(one) for one in page],
        "head": await house.journal.head(),
        "chosen": choice,
        "next": f"/journal?{urlencode(further)}" if further else None,
    }
    return rendered(request, who, "journal.html", told, here="/journal")


class Fact(Struct, frozen=True, kw_only=True):
    """One entry of the journal."""

    seq: int
    at: str
    kind: str
    account: str
    who: str
    subject: str
    body: str


class _Actor(Struct):
    name: str
    known_by: str


class _Written(Struct):
    at: str
    actor: _Actor
    subject: str
    body: msgspec.Raw


def entry(stored: StoredEntry) -> Fact:
    """Return an entry of the journal."""
    written = msgspec.json.decode(stored.text, type=_Written)
    return Fact(
        seq=stored.seq,
        at=written.at,
        kind=stored.kind,
        account=stored.account,
        who=f"{written.actor.name} ({written.actor.known_by.replace('_', ' ')})",
        subject=written.subject,
        body=msgspec.json.format(bytes(written.body), indent=2).decode(),
    )
