"""What every keeper of schedules promises, held against memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.schedule import MemorySchedules, SqlSchedules
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES
from gal_friday.domain.schedule import Held, Obstacle, Planned, Step, Why, begin, begun_with
from tests.postgres.databases import POSTGRESQL, Databases

AnySchedules = MemorySchedules | SqlSchedules
T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def schedules(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Databases
) -> AsyncIterator[AnySchedules]:
    if request.param == "memory":
        yield MemorySchedules()
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'schedules.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield SqlSchedules(engine, SqlJournal(tmp_path, SteppedClock(T0)))
        await engine.dispose()


def planned(account: str = "main", minutes: float = 0, **fields: object) -> Planned:
    return replace(Planned(account=account, due=T0 + timedelta(minutes=minutes)), **fields)


async def saved(schedules: AnySchedules, one: Planned) -> Planned:
    kept = await schedules.save(Step(one))
    assert kept is not None
    return kept


async def test_what_is_read_back_is_what_was_written(schedules: AnySchedules) -> None:
    whole = planned(
        because=Why.STREAM,
        marked=T0,
        marked_because=Why.REQUESTED,
        last_begun=T0 - timedelta(hours=1),
        last_run=T0 - timedelta(minutes=59, microseconds=1),
        last_complete=T0,
        last_report="rec_1",
        status="partial",
        verdict="incomplete",
        failures=3,
        held=Held(Obstacle.LOCKOUT, T0 + timedelta(minutes=15)),
        paused_by="änn",
        paused_at=T0,
        spent=17,
        missed=T0,
    )
    kept = await saved(schedules, whole)
    assert kept == replace(whole, revision=1)
    assert await schedules.one("main") == kept
    assert await schedules.one("other") is None


async def test_accounts_are_listed_by_name(schedules: AnySchedules) -> None:
    for name in ("b", "a", "c"):
        await saved(schedules, planned(name))
    assert [one.account for one in await schedules.all()] == ["a", "b", "c"]


async def test_whoever_has_read_an_older_step_writes_nothing(schedules: AnySchedules) -> None:
    first = await saved(schedules, planned())
    newer = await saved(schedules, replace(first, because=Why.STREAM))
    assert await schedules.save(Step(replace(first, because=Why.REQUESTED))) is None
    assert await schedules.one("main") == newer
    assert await schedules.save(Step(planned())) is None, "begun once already"


async def test_only_one_of_many_begins_a_run(schedules: AnySchedules) -> None:  # I13
    one = await saved(schedules, planned())
    steps = [begin(one, T0, owner=f"p{n}") for n in range(8)]
    done = await asyncio.gather(*(schedules.save(step) for step in steps if step is not None))
    assert len([each for each in done if each is not None]) == 1


async def test_only_one_of_many_begins_an_account(schedules: AnySchedules) -> None:
    done = await asyncio.gather(*(schedules.save(Step(planned())) for _ in range(8)))
    assert len([each for each in done if each is not None]) == 1


async def test_those_that_are_due_come_the_longest_due_first(schedules: AnySchedules) -> None:
    for name, minutes in (("late", -9), ("now", 0), ("later", 0.01), ("same", 0)):
        await saved(schedules, planned(name, minutes))
    await saved(schedules, planned("runs", -99, begun=T0))
    assert [one.account for one in await schedules.due(T0, limit=9)] == ["late", "now", "same"]
    assert [one.account for one in await schedules.due(T0, limit=1)] == ["late"]
    assert [one.account for one in await schedules.under_way()] == ["runs"]


async def test_a_step_and_its_facts_are_one(schedules: AnySchedules) -> None:  # I10
    step = begun_with("main", T0)
    assert await schedules.save(step) is not None
    assert await schedules.save(step) is None
    if isinstance(schedules, MemorySchedules):
        assert [fact.kind for fact in schedules.told] == ["run_scheduled"]
        return
    async with schedules._engine.connect() as connection:
        kinds = (await connection.execute(select(JOURNAL_ENTRIES.c.kind))).scalars().all()
    assert [kind for kind in kinds if not kind.startswith("journal_")] == ["run_scheduled"]
