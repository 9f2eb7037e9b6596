"""What is recorded, counted by days of UTC, on SQLite and PostgreSQL: of the accounts that were asked for alone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.tables import POSITION_ADJUSTMENTS
from gal_friday.adapters.store import SqlHistory, SqlStore
from gal_friday.domain.following import Carried
from gal_friday.domain.materiality import Severity
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.ports.history import Aged, Runs, Turnover
from tests.contracts.test_store_contract import T0, report, run
from tests.postgres.databases import POSTGRESQL, Databases

DAY = date(2026, 1, 31)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TO_MIDNIGHT = 12 * 60


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def engine(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[AsyncEngine]:
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            made = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'history.db'}")
            await upgrade(made)
        else:
            made = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield made
        await made.dispose()


async def test_runs_are_counted_by_day_and_by_how_they_ended(engine: AsyncEngine) -> None:
    store = SqlStore(engine)
    for name, minute in (("a", 0), ("b", TO_MIDNIGHT - 1), ("d", -TO_MIDNIGHT - 1)):
        await store.save_report(report(name, minute=minute))
    await store.save_report(replace(report("c", minute=TO_MIDNIGHT), not_checked=()))
    await store.save_report(replace(report("e"), status=ReconciliationStatus.FAILED, verdict=Verdict.INCOMPLETE))
    await store.save_report(report("f", account="other"))
    found = await SqlHistory(engine).runs(("main",), T0 - timedelta(hours=12))
    ended = report().status.value, report().verdict.value
    assert sorted(found, key=lambda one: (one.day, one.count)) == [
        Runs("main", DAY, "failed", "incomplete", False, 1),
        Runs("main", DAY, *ended, False, 2),
        Runs("main", DAY + timedelta(days=1), *ended, True, 1),
    ]
    assert {one.account for one in await SqlHistory(engine).runs(None, LONG_AGO)} == {"main", "other"}
    assert await SqlHistory(engine).runs((), LONG_AGO) == []


async def test_what_opened_closed_and_was_corrected_is_counted_by_day(engine: AsyncEngine) -> None:
    store, opened = SqlStore(engine), run()
    await store.save_report(report("a"), opened)
    cleared = run(*opened.opened, at=TO_MIDNIGHT, finding="agrees")
    await store.save_report(report("b", minute=TO_MIDNIGHT), cleared)
    await store.save_report(report("c", account="other"), run(account="other"))
    async with engine.begin() as connection:
        await connection.execute(
            insert(POSITION_ADJUSTMENTS), [posted("adj_1", 1), posted("adj_1", 2), posted("adj_2", 1)]
        )
    history = SqlHistory(engine)
    assert sorted(await history.turnover(("main",), LONG_AGO), key=lambda one: one.what) == [
        Turnover(DAY + timedelta(days=1), "cleared", 1),
        Turnover(DAY, "corrected", 2),
        Turnover(DAY, "opened", 1),
    ]
    assert {one.what for one in await history.turnover(("main",), T0 + timedelta(hours=12))} == {"cleared"}
    assert {(one.what, one.count) for one in await history.turnover(None, LONG_AGO)} >= {("opened", 2)}


async def test_what_is_open_is_counted_by_severity_and_by_the_limits_that_it_is_past(engine: AsyncEngine) -> None:
    (main,), (other,) = run().opened, run(account="other").opened
    older = replace(other, since=T0 - timedelta(days=3))
    gone = replace(main, id="dis_gone", state="cleared")
    await SqlStore(engine).save_report(report(), Carried(at=T0, opened=(main, older, gone)))
    limits = [T0 - timedelta(hours=1), T0 - timedelta(days=1)]
    history, severity = SqlHistory(engine), Severity(main.severity)
    assert sorted(await history.aged(None, limits), key=lambda one: one.age) == [
        Aged(severity, 0, 1),
        Aged(severity, 2, 1),
    ]
    assert await history.aged(("other",), [T0 - timedelta(days=3), LONG_AGO]) == [Aged(severity, 1, 1)]


def posted(name: str, number: int) -> dict[str, object]:
    """Return a row of an adjustment that was written to a book."""
    return {
        "adjustment_id": name,
        "number": number,
        "reconciliation_id": "a",
        "account": "main",
        "trading_pair": "BTC",
        "adjustment_type": "balance",
        "reason": "a test",
        "adjusted_at": T0,
    }
