"""The journal as a file of lines that anybody can verify without this program, with ``verify_journal.py``.

The first line is the header, with the formula in words; then entries in their order, each head behind the last
entry that it stands over. What is left out stands as its leaf alone, so that the tree can still be computed.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.journal.rows import EntryRow, HeadRow, entry_rows, head_rows
from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import FORMULA, VERSION, written
from gal_friday.ports.errors import StoreFailed

FORMAT = f"gal-friday/journal/{VERSION}"
SCRIPT = Path(__file__).with_name("verify_journal.py")
"""Verifies an export offline; it needs Python and nothing else."""

_ALWAYS = {FactKind.JOURNAL_BEGUN.value.encode(), FactKind.JOURNAL_KEY_ADDED.value.encode()}


async def export(
    engine: AsyncEngine, *, account: str | None = None, since: datetime | None = None
) -> AsyncIterator[bytes]:
    """Yield the lines of the file, each with its line end. *account* and *since* choose whose contents are shown.

    Raises:
        StoreFailed: the database cannot be read.
    """
    shown = _chooser(account, since)
    async with reading(engine, StoreFailed) as connection:
        yield _line(await _header(connection, account, since))
        heads = [row async for rows in head_rows(connection) for row in rows]
        heads.reverse()
        async for rows in entry_rows(connection):
            for row in rows:
                yield _line(_entry(row, whole=shown(row)))
                while heads and heads[-1].size <= row.seq:
                    yield _line(_head(heads.pop()))
        while heads:
            yield _line(_head(heads.pop()))


def _chooser(account: str | None, since: datetime | None) -> Callable[[EntryRow], bool]:
    wanted = None if account is None else account.encode()
    first = b"" if since is None else written_exactly(since).encode()

    def shown(row: EntryRow) -> bool:
        return row.kind in _ALWAYS or (row.at >= first and (wanted is None or row.account == wanted))

    return shown


async def _header(connection: AsyncConnection, account: str | None, since: datetime | None) -> dict[str, Any]:
    columns = JOURNAL_ENTRIES.c
    added = select(columns.entry).where(columns.kind == FactKind.JOURNAL_KEY_ADDED.value).order_by(columns.seq)
    keys = [written(text.encode()) for text in (await connection.execute(added)).scalars()]
    begun = select(columns.subject).where(columns.seq == 1)
    return {
        "format": FORMAT,
        "journal": (await connection.execute(begun)).scalar_one_or_none() or "",
        "entries": (await connection.execute(select(func.count()).select_from(JOURNAL_ENTRIES))).scalar_one(),
        "heads": (await connection.execute(select(func.count()).select_from(JOURNAL_HEADS))).scalar_one(),
        "public_keys": {said.subject: said.body.get("public_key") for said in keys},
        "account": account,
        "since": None if since is None else written_exactly(since),
        "formula": FORMULA,
    }


def _entry(row: EntryRow, *, whole: bool) -> dict[str, Any]:
    placed = {"seq": row.seq, "leaf": _text(row.leaf)}
    return placed | {"entry": _text(row.entry)} if whole else placed


def _head(row: HeadRow) -> dict[str, Any]:
    names = {"journal": row.journal, "root": row.root, "at": row.at, "key": row.key_id}
    head = {"number": row.number, "size": row.size, **{name: _text(value) for name, value in names.items()}}
    return {"head": head, "signature": _text(row.signature)}


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise StoreFailed("the journal is damaged and cannot be exported; run: gal-friday journal verify") from error


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"
