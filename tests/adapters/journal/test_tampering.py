"""Whatever is changed, cut, swapped or sealed anew behind the program's back is found, and the place is named."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random  # noqa: TID251 - seeded
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SigningKey, SqlJournal, newest, verify
from gal_friday.adapters.journal.inspection import Flaw, Inspection
from gal_friday.adapters.journal.key import is_signed
from gal_friday.adapters.journal.rows import EntryRow, HeadRow, entry_rows, head_rows
from gal_friday.adapters.journal.verify import Broken, Verified
from gal_friday.adapters.sql.engine import open_engine, reading, writing
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.ports.errors import StoreFailed
from tests.adapters.journal.conftest import AT, fact, put_key

BATCHES, PER_BATCH = 20, 12
SIZE = 2 + BATCHES * PER_BATCH
FLIPS = 300


async def fill(engine: AsyncEngine, journal: SqlJournal) -> None:
    for batch in range(BATCHES):
        async with writing(engine, StoreFailed) as connection:
            await journal.append(connection, [fact(batch * PER_BATCH + number) for number in range(PER_BATCH)])


@pytest.fixture
async def engine(tmp_path: Path, journal: SqlJournal) -> AsyncIterator[AsyncEngine]:
    """Give a journal of some hundred entries in a file."""
    opened = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'journal.db'}")
    await upgrade(opened)
    await fill(opened, journal)
    yield opened
    await opened.dispose()


@contextmanager
def unguarded(folder: Path) -> Iterator[sqlite3.Connection]:
    """Give the file as somebody has it who can do everything but sign."""
    with closing(sqlite3.connect(folder / "journal.db", isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        yield database


async def broken(engine: AsyncEngine) -> Broken:
    found = (await verify(engine)).broken
    assert found is not None, "the change was not found"
    return found


async def test_an_untouched_journal_is_whole(engine: AsyncEngine, key: SigningKey) -> None:
    found = await verify(engine, trusted=[key.id], own=key.id)
    assert (found.broken, found.entries, found.heads, found.keys) == (None, SIZE, BATCHES, (key.id,))


def positions(database: sqlite3.Connection) -> Iterator[tuple[str, str, int, str, bytes]]:
    """Yield table, key column, key, column and content of everything that the journal stores as text."""
    for table, key, row in (("journal_entries", "seq", EntryRow), ("journal_heads", "number", HeadRow)):
        for name in row._fields:
            if row.__annotations__[name] is bytes:
                for number, content in database.execute(f"SELECT {key}, CAST({name} AS BLOB) FROM {table}").fetchall():
                    yield table, key, number, name, content


async def test_any_flipped_byte_is_found_and_its_place_is_named(engine: AsyncEngine, tmp_path: Path) -> None:
    chance = Random(1)
    with unguarded(tmp_path) as database:
        every = [place for place in positions(database) if place[4]]
        sampled = chance.choices(every, weights=[len(place[4]) for place in every], k=FLIPS)
        last = {("journal_entries", SIZE), ("journal_heads", BATCHES)}
        tail = [place for place in every if (place[0], place[2]) in last]
        for table, key, number, name, content in [*sampled, *tail]:
            at = chance.randrange(len(content))
            flipped = bytearray(content)
            flipped[at] ^= 1 << chance.randrange(8)
            change = f"UPDATE {table} SET {name} = CAST(? AS TEXT) WHERE {key} = ?"
            database.execute(change, (bytes(flipped), number))
            found = await broken(engine)
            assert found.place == f"{'entry' if key == 'seq' else 'head'} {number}", (name, at, found)
            database.execute(change, (content, number))
    assert (await verify(engine)).broken is None


@pytest.mark.timeout(900)
@pytest.mark.parametrize("batches", [2, pytest.param(8, marks=pytest.mark.slow)])
async def test_every_byte_counts(engine: AsyncEngine, batches: int) -> None:
    async with reading(engine, StoreFailed) as connection:
        entries = [row async for rows in entry_rows(connection) for row in rows][: 2 + batches * PER_BATCH]
        heads = [row async for rows in head_rows(connection) for row in rows][:batches]
    assert place_of_flaw(entries, heads) is None
    for place, row in enumerate(entries):
        for changed in flipped(row):
            found = place_of_flaw([*entries[:place], changed, *entries[place + 1 :]], heads)
            assert found == f"entry {row.seq}", changed
    for place, head in enumerate(heads):
        for changed in flipped(head):
            found = place_of_flaw(entries, [*heads[:place], changed, *heads[place + 1 :]])
            assert found == f"head {head.number}", changed


def flipped(row: Any) -> Iterator[Any]:
    """Yield the row with one bit changed, for every byte of it."""
    for name in row._fields:
        content = getattr(row, name)
        for at in range(len(content) if isinstance(content, bytes) else 0):
            yield row._replace(**{name: content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]})


def place_of_flaw(entries: list[EntryRow], heads: list[HeadRow]) -> str | None:
    inspection, waiting = Inspection(is_signed), list(reversed(heads))
    try:
        for row in entries:
            inspection.entry(row)
            if waiting and inspection.is_due(waiting[-1]):
                inspection.head(waiting.pop())
        inspection.end(waiting[-1] if waiting else None)
    except Flaw as flaw:
        return flaw.place
    return None


@pytest.mark.parametrize(
    "statement, place, what",
    [
        ("DELETE FROM journal_entries WHERE seq = 17", "entry 17", "gap"),
        ("DELETE FROM journal_entries WHERE seq = 1", "entry 1", "gap"),
        (f"DELETE FROM journal_entries WHERE seq = {SIZE}", f"entry {SIZE}", "was cut"),
        (f"DELETE FROM journal_entries WHERE seq > {SIZE - PER_BATCH}", f"entry {SIZE - PER_BATCH + 1}", "was cut"),
        ("DELETE FROM journal_entries", "entry 1", "was cut"),
        ("DELETE FROM journal_heads WHERE number = 5", "head 5", "gap"),
        (
            f"DELETE FROM journal_heads WHERE number = {BATCHES}",
            f"entry {SIZE - PER_BATCH + 1}",
            "no head stands over it",
        ),
        ("UPDATE journal_heads SET size = size + 1 WHERE number = 3", "head 3", "not the one that was sealed"),
        ("UPDATE journal_heads SET size = 0 WHERE number = 3", "head 3", "no more entries than the one before"),
        ("UPDATE journal_entries SET seq = 99999 WHERE seq = 40", "entry 40", "gap"),
    ],
)
async def test_what_is_cut_or_renumbered_is_found(
    engine: AsyncEngine, tmp_path: Path, statement: str, place: str, what: str
) -> None:
    with unguarded(tmp_path) as database:
        database.execute(statement)
    found = await broken(engine)
    assert found.place == place
    assert what in found.what


async def test_two_entries_that_changed_places_are_found(engine: AsyncEngine, tmp_path: Path) -> None:
    with unguarded(tmp_path) as database:
        for old, new in ((20, -1), (30, 20), (-1, 30)):
            database.execute("UPDATE journal_entries SET seq = ? WHERE seq = ?", (new, old))
    found = await broken(engine)
    assert (found.place, found.what) == ("entry 20", "the entry was written for another place")


async def test_an_entry_that_was_rewritten_with_its_hash_and_columns_is_found(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    from gal_friday.domain.journal import entry_of

    forged = entry_of(20, fact(99))
    with unguarded(tmp_path) as database:
        row = (forged.text.decode(), forged.leaf.hex(), forged.fact.subject, 20)
        database.execute("UPDATE journal_entries SET entry = ?, leaf = ?, subject = ? WHERE seq = ?", row)
    found = await broken(engine)
    assert found.place == "head 2"
    assert found.what.startswith("an entry from 15 to 26 is not the one that was sealed")


async def test_an_entry_that_somebody_else_added_is_found(engine: AsyncEngine, tmp_path: Path) -> None:
    from gal_friday.domain.journal import entry_of

    forged = entry_of(SIZE + 1, fact(99))
    columns = (forged.seq, forged.fact.kind, "2026-01-31T12:00:00.000000Z", "main", "dis_0099", "gal-friday")
    with unguarded(tmp_path) as database:
        row = (*columns, forged.text.decode(), forged.leaf.hex())
        database.execute("INSERT INTO journal_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    found = await broken(engine)
    assert (found.place, found.what) == (
        f"entry {SIZE + 1}",
        "no head stands over it: it was not written by this program",
    )


async def test_a_tail_that_was_cut_with_its_heads_is_found_by_a_head_kept_outside(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    kept = await newest(engine)
    assert kept is not None
    with unguarded(tmp_path) as database:
        database.execute(f"DELETE FROM journal_entries WHERE seq > {SIZE - PER_BATCH}")
        database.execute(f"DELETE FROM journal_heads WHERE number = {BATCHES}")
    assert (await verify(engine)).broken is None, "nothing inside can tell"
    found = (await verify(engine, anchored=[kept.anchored("kept, line 1")])).broken
    assert found is not None
    assert (found.place, found.expected) == (f"entry {SIZE - PER_BATCH + 1}", str(SIZE))
    assert re.search(r"was cut.*kept, line 1", found.what)


async def sealed_anew(engine: AsyncEngine, tmp_path: Path) -> SigningKey:
    """Write the whole journal again, with one entry changed, and seal it with another key."""
    other = put_key(tmp_path / "other", bytes(reversed(range(32))))
    with unguarded(tmp_path) as database:
        database.execute("DELETE FROM journal_entries")
        database.execute("DELETE FROM journal_heads")
    await fill(engine, SqlJournal(tmp_path / "other", SteppedClock(start=AT)))
    return other


async def test_a_journal_that_was_sealed_anew_is_found_by_the_key_and_by_a_head_kept_outside(
    engine: AsyncEngine, tmp_path: Path, key: SigningKey
) -> None:
    kept = await newest(engine)
    assert kept is not None
    await sealed_anew(engine, tmp_path)
    checks: list[Verified] = [
        await verify(engine, trusted=[key.id]),
        await verify(engine, own=key.id),
        await verify(engine, anchored=[kept.anchored("kept, line 1")]),
    ]
    assert [found.broken.place for found in checks if found.broken] == ["head 1", "keys", "kept, line 1"]


async def test_a_line_outside_that_no_key_signed_proves_nothing(engine: AsyncEngine) -> None:
    from msgspec.structs import replace

    kept = await newest(engine)
    assert kept is not None
    found = (await verify(engine, anchored=[replace(kept, size=3).anchored("kept, line 7")])).broken
    assert found is not None
    assert (found.place, found.what) == ("kept, line 7", "this line is no head that its key signed")
