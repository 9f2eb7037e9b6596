"""Reports and changes of discrepancies, held against their facts, after runs that a store recorded."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import MemoryJournal, SqlJournal, verify
from gal_friday.adapters.journal.verify import Broken
from gal_friday.adapters.store import MemoryStore, SqlStore
from gal_friday.domain.following import Carried, carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of, told
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.store import Store
from tests.adapters.journal.conftest import AT
from tests.domain.build import T0, at, balance, exchange, internal


async def run_twice(store: Store) -> list[tuple[ReconciliationReport, Carried]]:
    done: list[tuple[ReconciliationReport, Carried]] = []
    for minutes in (0, 10):
        known = await store.open_discrepancies("main")
        report = compare(
            internal(balance("BTC", "1"), as_of=at(minutes)), exchange(balance("BTC", "1.5"), as_of=at(minutes))
        )
        run = run_of(report, since=T0 - timedelta(days=1))
        carried = carry_forward(known, report.findings, report.discrepancies, run=run, policy=Policy())
        report = told(report, carried)
        await store.save_report(report, carried)
        done.append((report, carried))
    return done


@pytest.fixture
async def recorded(engine: AsyncEngine, journal: SqlJournal) -> list[tuple[ReconciliationReport, Carried]]:
    return await run_twice(SqlStore(engine, journal))


async def test_every_run_and_every_change_has_its_fact(
    engine: AsyncEngine, recorded: list[tuple[ReconciliationReport, Carried]]
) -> None:
    found = await verify(engine)
    assert (found.broken, found.reports, found.changes, found.heads) == (None, 2, 2, 2)


async def test_saving_a_report_again_writes_no_fact_again(
    engine: AsyncEngine, journal: SqlJournal, recorded: list[tuple[ReconciliationReport, Carried]]
) -> None:
    before = await verify(engine)
    await SqlStore(engine, journal).save_report(*recorded[-1])
    assert await verify(engine) == before


async def test_a_run_that_came_second_leaves_no_fact(
    engine: AsyncEngine, journal: SqlJournal, recorded: list[tuple[ReconciliationReport, Carried]]
) -> None:  # I10
    before = await verify(engine)
    report = compare(internal(balance("BTC", "1"), as_of=at(20)), exchange(balance("BTC", "1.5"), as_of=at(20)))
    with pytest.raises(StoreFailed, match="came first"):
        await SqlStore(engine, journal).save_report(report, recorded[0][1])
    assert await verify(engine) == before


async def tampered(engine: AsyncEngine, *statements: str) -> Broken:
    async with engine.begin() as connection:
        for table in ("reconciliation_events", "discrepancy_changes"):
            if engine.dialect.name == "postgresql":
                await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                for what in ("update", "delete", "replace"):
                    await connection.execute(text(f"DROP TRIGGER {table}_no_{what}"))
        for statement in statements:
            await connection.execute(text(statement))
    found = (await verify(engine)).broken
    assert found is not None
    return found


@pytest.mark.parametrize(
    "column, value",
    [
        ("verdict", "reconciled"),
        ("status", "success"),
        ("account", "other"),
        ("discrepancies_found", 0),
        ("report", "{}"),
    ],
)
async def test_a_report_that_was_changed_is_found(
    engine: AsyncEngine, recorded: list[tuple[ReconciliationReport, Carried]], column: str, value: object
) -> None:
    name = recorded[0][0].reconciliation_id
    found = await tampered(
        engine, f"UPDATE reconciliation_events SET {column} = {value!r} WHERE reconciliation_id = '{name}'"
    )
    assert (found.place, found.what) == (name, "the report is not what entry 7 says of it")


@pytest.mark.parametrize("column, value", [("what", "cleared"), ("state", "cleared"), ("note", "fine"), ("number", 7)])
async def test_a_change_that_was_changed_is_found(
    engine: AsyncEngine, recorded: list[tuple[ReconciliationReport, Carried]], column: str, value: object
) -> None:
    (one,) = recorded[0][1].opened
    found = await tampered(
        engine, f"UPDATE discrepancy_changes SET {column} = {value!r} WHERE change_id = '{one.id}/1'"
    )
    assert (found.place, found.what) == (f"{one.id}/1", "the change is not what entry 6 says of it")


async def test_a_row_that_is_gone_is_found(
    engine: AsyncEngine, recorded: list[tuple[ReconciliationReport, Carried]]
) -> None:
    (one,) = recorded[0][1].opened
    found = await tampered(engine, f"DELETE FROM discrepancy_changes WHERE change_id = '{one.id}/2'")
    assert found.what == "the change that it is about is gone"
    assert found.expected == f"{one.id}/2"


async def test_a_report_that_nothing_sealed_is_found(engine: AsyncEngine, journal: SqlJournal) -> None:
    await run_twice(SqlStore(engine))
    found = (await verify(engine)).broken
    assert found is not None
    assert found.what.startswith("no entry of the journal is about the change")


async def test_the_store_in_memory_tells_the_same_facts(
    engine: AsyncEngine, journal: SqlJournal, recorded: list[tuple[ReconciliationReport, Carried]]
) -> None:
    from gal_friday.adapters.journal import Asked, entries

    kept = MemoryJournal(SteppedClock(start=AT))
    await run_twice(MemoryStore(kept.append))
    written = [one.kind for one in reversed(await entries(engine, Asked(limit=100)))]
    assert [fact.kind for fact in kept.facts] == written
