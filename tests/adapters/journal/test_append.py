"""Writing to the journal: one sequence without gaps, whoever writes, and nothing of a transaction that was undone."""

import asyncio
import os
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import MemoryJournal, SigningKey, SqlJournal, kept_key, signing_key, verify
from gal_friday.adapters.journal.key import FILE_NAME, is_signed
from gal_friday.adapters.sql.engine import writing
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.facts import Fact
from gal_friday.domain.journal import entry_of
from gal_friday.ports.errors import StoreFailed
from tests.adapters.journal.conftest import AT, Append, fact, put_key


async def sequence(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(select(JOURNAL_ENTRIES.c.seq).order_by(JOURNAL_ENTRIES.c.seq))).scalars())


async def test_the_first_facts_are_the_journal_and_its_key(
    engine: AsyncEngine, append: Append, key: SigningKey
) -> None:
    await append(fact(1))
    async with engine.connect() as connection:
        rows = (await connection.execute(select(JOURNAL_ENTRIES).order_by(JOURNAL_ENTRIES.c.seq))).all()
    assert [(row.seq, row.kind) for row in rows] == [
        (1, "journal_begun"),
        (2, "journal_key_added"),
        (3, "review_commented"),
    ]
    assert rows[1].subject == key.id
    assert rows[2].entry.encode() == entry_of(3, fact(1)).text
    assert rows[2].leaf == entry_of(3, fact(1)).leaf.hex()


async def test_every_transaction_ends_with_one_head(engine: AsyncEngine, append: Append) -> None:
    for size in (1, 3, 2):
        await append(*map(fact, range(size)))
    async with engine.connect() as connection:
        heads = (await connection.execute(select(JOURNAL_HEADS).order_by(JOURNAL_HEADS.c.number))).all()
    assert [(head.number, head.size) for head in heads] == [(1, 3), (2, 6), (3, 8)]
    assert await sequence(engine) == list(range(1, 9))


async def test_nothing_to_write_writes_nothing(engine: AsyncEngine, append: Append) -> None:
    await append()
    assert await sequence(engine) == []


async def test_a_transaction_that_is_undone_leaves_no_gap(
    engine: AsyncEngine, journal: SqlJournal, append: Append
) -> None:  # I10
    await append(fact(1))
    with pytest.raises(MalformedFact):  # noqa: PT012 - the whole transaction is undone
        async with writing(engine, StoreFailed) as connection:
            await journal.append(connection, (fact(2),))
            await journal.append(connection, (Fact(kind="x", at=AT, account="", subject="", body={"no": 0.5}),))
    await append(fact(3))
    assert await sequence(engine) == [1, 2, 3, 4]
    assert (await verify(engine)).broken is None


async def test_several_at_once_make_one_sequence(engine: AsyncEngine, journal: SqlJournal, append: Append) -> None:
    await asyncio.gather(*(append(fact(number), fact(number)) for number in range(8)))
    assert await sequence(engine) == list(range(1, 19))
    assert (await verify(engine)).broken is None


async def test_another_machine_adds_its_own_key(engine: AsyncEngine, append: Append, tmp_path: Path) -> None:
    await append(fact(1))
    other = SqlJournal(tmp_path / "other", SteppedClock(start=AT))
    for _ in range(2):
        async with writing(engine, StoreFailed) as connection:
            await other.append(connection, (fact(2),))
    await append(fact(3))
    done = await verify(engine)
    assert (done.broken, done.entries, len(done.keys)) == (None, 7, 2)


async def test_what_was_written_cannot_be_changed_or_removed(engine: AsyncEngine, append: Append) -> None:  # I10
    await append(fact(1))
    statements = [
        *(f"DELETE FROM {table}" for table in ("journal_entries", "journal_heads")),
        "UPDATE journal_entries SET entry = 'x'",
        "UPDATE journal_heads SET root = 'x'",
    ]
    if engine.dialect.name == "postgresql":
        statements += ["TRUNCATE journal_entries", "TRUNCATE journal_heads"]
    else:
        statements += [f"INSERT OR REPLACE INTO {t} SELECT * FROM {t}" for t in ("journal_entries", "journal_heads")]
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))


async def test_a_head_that_was_damaged_is_not_gone_on_from(engine: AsyncEngine, append: Append) -> None:
    await append(fact(1))
    guard = (
        "DROP TRIGGER journal_heads_no_update"
        if engine.dialect.name == "sqlite"
        else "ALTER TABLE journal_heads DISABLE TRIGGER USER"
    )
    async with engine.begin() as connection:
        await connection.execute(text(guard))
        await connection.execute(text("UPDATE journal_heads SET frontier = 'ab'"))
    with pytest.raises(StoreFailed, match=r"head 1 is damaged.*gal-friday journal verify"):
        await append(fact(2))


def test_the_memory_journal_is_sealed_alike() -> None:
    kept = MemoryJournal(SteppedClock(start=AT), SigningKey.of(bytes(32)))
    kept.append(())
    kept.append((fact(1),))
    kept.append((fact(2), fact(3)))
    assert [entry.seq for entry in kept.entries] == [1, 2, 3, 4, 5]
    assert [signed.head.size for signed in kept.heads] == [3, 5]
    assert [one.subject for one in kept.facts[2:]] == ["dis_0001", "dis_0002", "dis_0003"]
    public = SigningKey.of(bytes(32)).public
    assert all(is_signed(public, signed.head.signed_text(), signed.signature) for signed in kept.heads)


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    assert kept_key(folder) is None
    made = signing_key(folder)
    assert signing_key(folder).id == made.id
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_of_two_that_make_a_key_at_once_both_use_the_first(tmp_path: Path) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(signing_key(tmp_path).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    put_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(StoreFailed, match="may be read by others; run: chmod 600"):
        kept_key(tmp_path)


@pytest.mark.parametrize("content", ["", "x", "gal-friday/journal-key/1 zz", "gal-friday/journal-key/1 ab"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    put_key(tmp_path)
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StoreFailed, match=r"no key of a journal|damaged key"):
        signing_key(tmp_path)


def test_where_no_key_can_be_kept_nothing_is_sealed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match=r"nothing is sealed; set state_folder"):
        signing_key(tmp_path / "file" / "state")


def test_a_key_says_nothing_of_its_secret() -> None:
    key = SigningKey.of(bytes(range(32)))
    assert bytes(range(32)).hex() not in f"{key!r} {key}"
    assert os.fspath(FILE_NAME) == "journal.key"
