"""The pages of the journal: its entries, one of them with its proof, and the signed heads.

Heads and the verification stand over the entries of every account, so they are shown to who may see all of them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import Path, Query, Request, Response
from msgspec import Struct

from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import written
from gal_friday.domain.seal import climb
from gal_friday.flows.door import Caller
from gal_friday.ports.journal_reading import Proof, StoredEntry, Wanted
from gal_friday.web.frame import PAGE, Choice, Missing, Visitor, house_of, new_router, rendered, theirs
from gal_friday.web.rendering import page_of

router = new_router()
Day = Annotated[str, Query(pattern=r"^(\d{4}-\d\d-\d\d)?$")]
Before = Annotated[int | None, Query(ge=1, le=2**62)]
_ANCHORS = 30


class Fact(Struct, frozen=True, kw_only=True):
    """One entry of the journal."""

    seq: int
    at: datetime
    kind: str
    account: str
    who: str
    known_by: str
    subject: str
    page: str
    body: Mapping[str, Any]


class Rung(Struct, frozen=True):
    """One step of the way from an entry to the root."""

    side: str
    hash: str
    above: str


@router.get("/journal")
async def journal(
    request: Request,
    who: Visitor,
    kind: Choice = "",
    account: Choice = "",
    actor: Annotated[str, Query(max_length=200)] = "",
    since: Day = "",
    until: Day = "",
    subject: Choice = "",
    before: Before = None,
) -> Response:
    """List the facts, the newest first."""
    house = house_of(request)
    wanted = Wanted(
        accounts=theirs(who, account),
        kind=kind or None,
        subject=subject or None,
        actor=actor or None,
        since=_day(since),
        until=_day(until, days=1),
    )
    found = await house.journal.before(wanted, seq=before, limit=PAGE + 1)
    page = found[:PAGE]
    choice = {"kind": kind, "account": account, "actor": actor, "since": since, "until": until, "subject": subject}
    further = {**choice, "before": str(page[-1].seq)} if len(found) > PAGE else None
    told = {
        "rows": [fact(one) for one in page],
        "chosen": choice,
        "kinds_known": sorted(FactKind),
        "names": [name for name in sorted(house.accounts) if who.sees(name)],
        "next": further and f"/journal?{urlencode({name: value for name, value in further.items() if value})}",
        "everything": _sees_all(who),
        "head": await house.journal.head(),
    }
    return rendered(request, who, "journal.html", told, here="/journal")


@router.get("/journal/heads")
async def heads(request: Request, who: Visitor, before: Before = None) -> Response:
    """List the signed heads, the newest first, and which of them were handed to somewhere outside."""
    if not _sees_all(who):
        raise Missing
    house = house_of(request)
    found = await house.journal.heads(number=before, limit=PAGE + 1)
    page = found[:PAGE]
    anchored = await house.journal.before(Wanted(kind=FactKind.JOURNAL_ANCHORED.value), limit=_ANCHORS)
    told = {
        "rows": page,
        "instant": datetime.fromisoformat,
        "anchors": [fact(one) for one in anchored],
        "next": f"/journal/heads?before={page[-1].head.number}" if len(found) > PAGE else None,
    }
    return rendered(request, who, "journal_heads.html", told, here="/journal")


@router.get("/journal/verify_journal.py")
async def verifier(request: Request, who: Visitor) -> Response:
    """Give the script that checks an exported journal, or a proof, with Python alone."""
    headers = {"Content-Disposition": 'attachment; filename="verify_journal.py"'}
    return Response(house_of(request).verifier(), media_type="text/x-python; charset=utf-8", headers=headers)


@router.get("/journal/{seq}")
async def entry(request: Request, who: Visitor, seq: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """Show one entry in full, and the proof that it stands under the newest head."""
    house, mine = house_of(request), Wanted(accounts=who.grant.accounts.names)
    found = await house.journal.one(seq)
    if found is None or not who.sees(found.account):
        raise Missing
    earlier = await house.journal.before(mine, seq=seq, limit=1)
    later = await house.journal.after(mine, seq=seq, limit=1)
    proof = await house.journal.proof(seq)
    told = {
        "fact": fact(found),
        "text": found.text.decode(),
        "earlier": earlier[0].seq if earlier else None,
        "later": later[0].seq if later else None,
        "proof": proof,
        "flaw": "" if proof is None else house.journal.flaw(proof),
        "live": "",  # an entry stays as it is
        "rungs": () if proof is None else tuple(rungs(proof)),
    }
    return rendered(request, who, "journal_entry.html", told, here="/journal")


def fact(stored: StoredEntry) -> Fact:
    """Return an entry of the journal as pages show it."""
    said = written(stored.text)
    return Fact(
        seq=stored.seq,
        at=datetime.fromisoformat(said.at),
        kind=said.kind,
        account=said.account,
        who=said.actor.name,
        known_by=said.actor.known_by.replace("_", " "),
        subject=said.subject,
        page=page_of(said.subject),
        body={name: _in_lines(value) for name, value in said.body.items()},
    )


def rungs(proof: Proof) -> Iterator[Rung]:
    """Yield the way from the entry to the root, the lowest first."""
    path = [bytes.fromhex(step) for step in proof.path]
    climbed = climb(bytes.fromhex(proof.leaf), proof.index, proof.size, path) or ()
    for step, (left, above) in zip(path, climbed, strict=False):  # no step where the path is of another tree
        yield Rung("left" if left else "right", step.hex(), above.hex())


def _sees_all(who: Caller) -> bool:
    return who.sees("")


def _in_lines(value: Any) -> str:
    if value in ([], {}, None, ""):
        return "none"
    return value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _day(text: str, *, days: int = 0) -> datetime | None:
    """Return when a day begins, or the one so many days after it; none where none is named."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Missing from None
