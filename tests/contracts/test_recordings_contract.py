"""What every keeper of recordings promises, held against each: memory, SQLite and PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.recordings import MemoryRecordings, SqlRecordings
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store import SqlStore
from gal_friday.domain.aliases import Aliases
from gal_friday.domain.assets import Asset
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.recordings import Conditions, Recordings, Tape, unpacked
from tests.contracts.test_store_contract import T0, report
from tests.postgres.databases import POSTGRESQL, Databases

REPORT = report()
ID = REPORT.reconciliation_id
CONDITIONS = Conditions(
    program="0.1.0",
    account="main",
    exchange="kraken",
    since=T0,
    only=RECORD_KINDS,
    policy=Policy(tolerances={Asset("BTC"): Policy().tolerance}),
    aliases=Aliases({"XBT": Asset("BTC")}),
)
BODY = b'{"error":[],"result":{"\xc3\xa9":"\\u0000"}}'


class Kept:
    """One keeper under test, and the engine where there is one."""

    def __init__(self, recordings: Recordings, engine: AsyncEngine | None = None) -> None:
        self.recordings, self.engine = recordings, engine


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def kept(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Kept]:
    if request.param == "memory":
        yield Kept(MemoryRecordings())
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'recordings.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        await SqlStore(engine).save_report(REPORT)
        yield Kept(SqlRecordings(engine), engine)
        await engine.dispose()


def tape(body: bytes = BODY) -> Tape:
    made = Tape()
    made.instant(T0)
    made.second(12.345678901234567)
    made.answer("Ledgers", {"start": "1"}, body)
    made.no_answer("Ticker", {}, StoreFailed("no ´☃"))
    made.hear("book.version(main)", b"\x00\xff")
    return made


async def test_what_is_kept_is_read_back_to_the_byte(kept: Kept) -> None:
    packed = tape().packed(CONDITIONS)
    await kept.recordings.keep(ID, packed, CONDITIONS, at=T0)
    assert await kept.recordings.content(ID) == packed
    recording, bodies = unpacked(packed)
    assert recording.conditions == CONDITIONS
    assert (recording.instants, recording.seconds) == ((T0,), (12.345678901234567,))
    assert bodies == (BODY, b"")


async def test_what_is_known_of_a_recording_says_when_who_and_how_much(kept: Kept) -> None:
    packed = tape().packed(CONDITIONS)
    await kept.recordings.keep(ID, packed, CONDITIONS, at=T0)
    about = await kept.recordings.about(ID)
    assert about is not None
    assert (about.account, about.at, about.program, about.digest) == ("main", T0, "0.1.0", packed.digest)
    assert (about.size, about.kept_size) == (len(BODY), len(packed.story) + len(packed.answers))


async def test_keeping_it_again_changes_nothing(kept: Kept) -> None:
    first = tape().packed(CONDITIONS)
    await kept.recordings.keep(ID, first, CONDITIONS, at=T0)
    await kept.recordings.keep(ID, tape(b"other").packed(CONDITIONS), CONDITIONS, at=T0)
    assert await kept.recordings.content(ID) == first


async def test_what_was_never_kept_is_not_there(kept: Kept) -> None:
    assert await kept.recordings.about(ID) is None
    assert await kept.recordings.content(ID) is None


async def test_what_is_older_than_its_time_is_removed_and_still_known(kept: Kept) -> None:
    await kept.recordings.keep(ID, tape().packed(CONDITIONS), CONDITIONS, at=T0)
    assert await kept.recordings.forget(T0) == 0
    assert await kept.recordings.content(ID) is not None
    later = T0 + timedelta(microseconds=1)
    assert await kept.recordings.forget(later) == 1
    assert await kept.recordings.forget(later) == 0
    assert await kept.recordings.content(ID) is None
    about = await kept.recordings.about(ID)
    assert about is not None
    assert about.at == T0


async def test_a_removed_recording_does_not_come_back(kept: Kept) -> None:
    packed = tape().packed(CONDITIONS)
    await kept.recordings.keep(ID, packed, CONDITIONS, at=T0)
    await kept.recordings.forget(T0 + timedelta(days=1))
    await kept.recordings.keep(ID, packed, CONDITIONS, at=T0)
    assert await kept.recordings.content(ID) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE recording_contents SET answers = story",
        "UPDATE recordings SET digest = 'x'",
        "DELETE FROM recordings",
    ],
)
async def test_the_database_refuses_to_change_a_recording(kept: Kept, statement: str) -> None:
    if kept.engine is None:
        return
    await kept.recordings.keep(ID, tape().packed(CONDITIONS), CONDITIONS, at=T0)
    async with kept.engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await connection.execute(text(statement))


async def test_a_recording_of_no_report_is_refused(kept: Kept) -> None:
    if kept.engine is None:
        return
    with pytest.raises(StoreFailed):
        await kept.recordings.keep("rec_none", tape().packed(CONDITIONS), CONDITIONS, at=T0)


async def test_a_report_is_read_as_the_bytes_that_were_written(kept: Kept) -> None:
    if isinstance(kept.recordings, SqlRecordings):
        assert await kept.recordings.written(ID) == REPORT.to_json()
        assert await kept.recordings.written("rec_none") is None
