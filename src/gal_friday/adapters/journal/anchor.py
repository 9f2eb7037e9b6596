"""Heads handed to somewhere outside, where whoever can write the database cannot reach them.

A head is one line. A file takes it at its end; an address takes it as the body of a POST. That it was handed out is
itself a fact.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.journal.inspection import Anchored
from gal_friday.adapters.journal.sql import SqlJournal
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.facts import Actor, Fact, FactKind
from gal_friday.domain.journal import HEAD_FORMAT, Head, SignedHead, written
from gal_friday.domain.plain import NOT_READ
from gal_friday.ports.errors import StoreFailed, WorldFailed

SECONDS = 10.0
"""How long an address may take to answer."""
_REDIRECT = 300


class Anchor(Struct, frozen=True, kw_only=True, rename={"form": "format"}):
    """One line that stands outside."""

    form: str
    journal: str
    number: int
    size: int
    root: str
    at: str
    key: str
    public_key: str
    signature: str

    def line(self) -> bytes:
        """Return it as it is handed out, with its line end."""
        return msgspec.json.encode(self) + b"\n"

    def anchored(self, place: str) -> Anchored:
        """Return it as verification takes it."""
        head = Head(journal=self.journal, number=self.number, size=self.size, root=self.root, at=self.at, key=self.key)
        return Anchored(place, SignedHead(head=head, signature=self.signature), self.public_key)


async def newest(engine: AsyncEngine) -> Anchor | None:
    """Return the newest head, ready to be handed out; None where nothing was written yet.

    Raises:
        StoreFailed: the database cannot be read, or the head's key is not in the journal.
    """
    heads, entries = JOURNAL_HEADS.c, JOURNAL_ENTRIES.c
    async with reading(engine, StoreFailed) as connection:
        row = (await connection.execute(select(JOURNAL_HEADS).order_by(heads.number.desc()).limit(1))).one_or_none()
        if row is None:
            return None
        added = (entries.subject == row.key_id, entries.kind == FactKind.JOURNAL_KEY_ADDED.value)
        entry = (await connection.execute(select(entries.entry).where(*added).limit(1))).scalar_one_or_none()
    if entry is None:
        raise StoreFailed(f"no entry adds the key {row.key_id} of the newest head; run: gal-friday journal verify")
    return Anchor(
        form=HEAD_FORMAT,
        journal=row.journal,
        number=row.number,
        size=row.size,
        root=row.root,
        at=row.at,
        key=row.key_id,
        public_key=str(written(entry.encode()).body.get("public_key")),
        signature=row.signature,
    )


def anchors_in(content: bytes, *, source: str) -> Iterator[Anchored]:
    """Yield the heads of a file, line by line; empty lines are nothing.

    Raises:
        MalformedFact: a line is no head, or there is none.
    """
    if not content.strip():
        raise MalformedFact(f"{source}: no head is in it, so that it proves nothing; name the file that has them")
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                anchor = msgspec.json.decode(line, type=Anchor)
            except NOT_READ as error:
                raise MalformedFact(f"{source}, line {number}: no anchored head ({error})") from None
            if anchor.form != HEAD_FORMAT:
                raise MalformedFact(f"{source}, line {number}: {anchor.form[:40]!r} is not {HEAD_FORMAT}")
            yield anchor.anchored(f"{source}, line {number}")


async def sent(anchor: Anchor, to: str) -> str:
    """Hand the line to a file or an address, and return what may be told of the place: no part that can be secret.

    Raises:
        WorldFailed: nobody knows whether it arrived; handing it out again is safe.
    """
    if not to.startswith(("http://", "https://")):
        return _append(to, anchor.line())
    place = f"{urlsplit(to).scheme}://{urlsplit(to).hostname}"
    try:
        async with httpx2.AsyncClient(timeout=SECONDS) as client:
            answer = await client.post(to, content=anchor.line(), headers={"content-type": "application/json"})
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise WorldFailed(f"{place} did not take the head ({type(error).__name__}); try again") from None
    if answer.status_code >= _REDIRECT:
        raise WorldFailed(f"{place} answered {answer.status_code} and did not take the head; check the address")
    return place


def _append(to: str, line: bytes) -> str:
    path = Path(to)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o644)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise WorldFailed(f"{path} did not take the head ({reason}); name another file") from error
    return path.name


async def record(
    engine: AsyncEngine, journal: SqlJournal, at: datetime, anchor: Anchor, place: str, who: Actor
) -> None:
    """Write into the journal that this head was handed out to *place* by *who*.

    Raises:
        StoreFailed: it could not be written; the head is outside all the same.
    """
    body = {"to": place, "number": anchor.number, "size": anchor.size, "root": anchor.root}
    fact = Fact(kind=FactKind.JOURNAL_ANCHORED, at=at, account="", subject=anchor.journal, actor=who, body=body)
    async with writing(engine, StoreFailed) as connection:
        await journal.append(connection, (fact,))
