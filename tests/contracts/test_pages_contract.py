"""Pages over what is recorded, on SQLite and PostgreSQL: every entry once, in order, and what the gate has to know."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql import downgrade, open_engine, upgrade
from gal_friday.adapters.sql.tables import RECONCILIATION_EVENTS
from gal_friday.adapters.store import SqlPages, SqlStore
from gal_friday.domain.following import Carried
from gal_friday.domain.materiality import Severity
from gal_friday.domain.summary import summary_of
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.ports.errors import SeveralMatch, StoreFailed
from gal_friday.ports.pages import Chosen, Place
from tests.contracts.test_store_contract import T0, report, run
from tests.postgres.databases import POSTGRESQL, Databases


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def engine(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[AsyncEngine]:
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            made = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'pages.db'}")
            await upgrade(made)
        else:
            made = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield made
        await made.dispose()


async def test_reports_come_page_by_page_each_once_also_at_one_instant(engine: AsyncEngine) -> None:
    for name in "abcde":
        await SqlStore(engine).save_report(report(name, minute=1 if name in "abc" else 2))
    pages, seen, after = SqlPages(engine), [], None
    while found := await pages.reports(None, after=after, limit=2):
        seen += [one.reconciliation_id for one in found]
        after = Place(found[-1].at, found[-1].reconciliation_id)
    assert seen == ["e", "d", "c", "b", "a"]
    assert [one.account for one in await pages.reports(("main",), limit=1)] == ["main"]
    assert await pages.reports((), limit=5) == []
    assert await pages.reports(("other",), limit=5) == []


async def test_a_summary_is_the_report_without_what_grows(engine: AsyncEngine) -> None:
    await SqlStore(engine).save_report(report())
    (listed,) = await SqlPages(engine).reports(None, limit=5)
    assert listed.summary == summary_of(report())
    whole, short = msgspec.json.decode(report().to_json()), msgspec.json.decode(listed.summary)
    assert (short.pop("keys_checked"), short.pop("assets_checked")) == (1, ["BTC"])
    assert short == {name: value for name, value in whole.items() if name not in ("findings", "evidence", "decisions")}


async def test_failures_are_counted_up_to_the_last_run_that_did_not_fail(engine: AsyncEngine) -> None:
    store, pages = SqlStore(engine), SqlPages(engine)
    assert (await pages.latest(None)).failures == 0
    for minute, status in enumerate(("failed", "partial", "failed", "failed")):
        await store.save_report(replace(report(f"r{minute}", minute=minute), status=ReconciliationStatus(status)))
    latest = await pages.latest(("main",))
    assert (latest.failures, latest.report and latest.report.reconciliation_id) == (2, "r3")
    assert (await pages.latest(("other",))).report is None


async def test_a_report_is_given_as_it_was_written(engine: AsyncEngine) -> None:
    await SqlStore(engine).save_report(report("rec_abc"))
    await SqlStore(engine).save_report(report("rec_abd"))
    found = await SqlPages(engine).report("rec_abc")
    assert found is not None
    assert found.content == report("rec_abc").to_json()
    assert await SqlPages(engine).report("") is None
    assert await SqlPages(engine).report("REC_abc") is None
    with pytest.raises(SeveralMatch):
        await SqlPages(engine).report("rec_ab")


async def test_discrepancies_are_chosen_and_paged(engine: AsyncEngine) -> None:
    (main,), (other,) = run().opened, run(account="other").opened
    await SqlStore(engine).save_report(report(), Carried(at=T0, opened=(main, other)))
    pages = SqlPages(engine)
    first = await pages.discrepancies(None, Chosen(), limit=1)
    rest = await pages.discrepancies(None, Chosen(), after=Place(first[0].last_seen, first[0].id), limit=5)
    assert sorted([*first, *rest], key=lambda one: one.account) == [main, other]
    assert await pages.discrepancies(("main",), Chosen(severities=frozenset({main.severity})), limit=5) == [main]
    assert await pages.discrepancies(None, Chosen(severities=frozenset({Severity.LOW})), limit=5) == []
    assert await pages.discrepancies(None, Chosen(states=frozenset({"cleared"})), limit=5) == []


async def test_the_gate_knows_the_last_run_and_the_last_one_that_saw_everything(engine: AsyncEngine) -> None:
    store, pages = SqlStore(engine), SqlPages(engine)
    (severe,) = run().opened
    good = replace(report("good"), not_checked=(), verdict=Verdict.DISCREPANCIES)
    await store.save_report(good, Carried(at=T0, opened=(severe,)))
    await store.save_report(replace(good, reconciliation_id="gap", verdict=Verdict.INCOMPLETE, timestamp=later(1)))
    await store.save_report(replace(report("part"), timestamp=later(2)))
    standing = await pages.standing("main")
    assert (standing.last and standing.last.reconciliation_id) == "part"
    assert standing.good is not None
    assert (standing.good.reconciliation_id, standing.good.assets) == ("good", frozenset({"BTC"}))
    assert (standing.severe, standing.flips, standing.and_more) == ((severe,), 0, False)
    assert (await pages.standing("other")).last is None


def later(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


async def test_a_row_from_before_there_were_summaries_is_listed_all_the_same(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    await upgrade(engine)
    await SqlStore(engine).save_report(report())
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER reconciliation_events_no_update")
        await connection.execute(update(RECONCILIATION_EVENTS).values(summary=None))
    (listed,) = await SqlPages(engine).reports(None, limit=5)
    await engine.dispose()
    assert listed.summary == summary_of(report())


async def test_a_database_of_another_revision_is_not_ready(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    await upgrade(engine)
    assert await SqlPages(engine).check_ready()
    await downgrade(engine, to="0001")
    with pytest.raises(StoreFailed, match="gal-friday db upgrade"):
        await SqlPages(engine).check_ready()
    await engine.dispose()
