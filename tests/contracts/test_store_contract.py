"""What every store promises, held against each: memory, SQLite and PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store import MemoryStore, SqlStore
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.finding import Agrees, CannotTell, Finding, Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried, carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Snapshot
from gal_friday.ports.errors import StoreFailed
from tests.postgres.databases import POSTGRESQL, Databases

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)

AnyStore = MemoryStore | SqlStore


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def store(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield SqlStore(engine)
        await engine.dispose()


def side(name: Side, amount: str) -> Snapshot:
    return Snapshot(
        side=name,
        account="main",
        exchange="kraken",
        as_of=T0,
        coverage=Coverages(balances=Coverage.TOTAL),
        balances=(Balance(Asset("BTC"), Wallet.SPOT, Decimal(amount)),),
    )


def report(
    reconciliation_id: str = "rec_1", *, minute: int = 0, account: str = "main", differs: bool = True
) -> ReconciliationReport:
    made = compare(
        side("internal", "1.50000000"),
        side("exchange", "12345678901234567890.123456789012345678" if differs else "1.5"),
    )
    at = T0 + timedelta(minutes=minute)
    return replace(made, reconciliation_id=reconciliation_id, timestamp=at, account=account, duration_seconds=0.25)


async def test_a_report_read_back_is_equal_to_the_one_written(store: AnyStore) -> None:
    await store.save_report(report())
    assert await store.report("rec_1") == report()
    kept = await store.report("rec_1")
    assert kept is not None
    assert kept.to_json() == report().to_json()


async def test_saving_the_same_report_again_changes_nothing(store: AnyStore) -> None:
    await store.save_report(report())
    await store.save_report(report())
    assert len(await store.reports()) == 1


async def test_another_report_under_the_same_id_does_not_replace_the_first(store: AnyStore) -> None:
    await store.save_report(report())
    with pytest.raises(StoreFailed, match="recorded already"):
        await store.save_report(report(differs=False))
    assert await store.report("rec_1") == report()


async def test_an_unknown_report_is_none(store: AnyStore) -> None:
    await store.save_report(report())
    assert [await store.report(asked) for asked in ("rec_2", "", "%", "rec%1", "REC", "ec_1")] == [None] * 6


async def test_the_beginning_of_an_id_is_enough_where_only_one_begins_so(store: AnyStore) -> None:
    await store.save_report(report("rec_abc"))
    await store.save_report(report("rec_abd"))
    await store.save_report(report("rec_ab"))
    assert await store.report("rec_abd") == report("rec_abd")
    assert await store.report("rec_ab") == report("rec_ab")
    with pytest.raises(StoreFailed, match="several reports begin with rec_a: rec_ab, rec_abc, rec_abd"):
        await store.report("rec_a")


async def test_an_underscore_stands_for_itself(store: AnyStore) -> None:
    await store.save_report(report("recX1"))
    assert await store.report("rec_") is None


async def ids(
    store: AnyStore,
    *,
    since: datetime | None = None,
    account: str | None = None,
    only_discrepancies: bool = False,
    limit: int = 100,
) -> list[str]:
    found = await store.reports(since=since, account=account, only_discrepancies=only_discrepancies, limit=limit)
    return [one.reconciliation_id for one in found]


async def test_reports_come_newest_first_and_can_be_narrowed(store: AnyStore) -> None:
    await store.save_report(report("b", minute=2))
    await store.save_report(report("c", minute=3, account="other"))
    await store.save_report(report("a", minute=1, differs=False))
    assert await ids(store) == ["c", "b", "a"]
    assert await ids(store, since=T0 + timedelta(minutes=2)) == ["c", "b"]
    assert await ids(store, account="main") == ["b", "a"]
    assert await ids(store, only_discrepancies=True) == ["c", "b"]
    assert await ids(store, limit=1) == ["c"]


async def test_the_columns_say_what_the_report_says(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    await upgrade(engine)
    await SqlStore(engine).save_report(report())
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT * FROM reconciliation_events"))).mappings().one()
        adjustments = (await connection.execute(text("SELECT count(*) FROM position_adjustments"))).scalar_one()
    await engine.dispose()
    assert adjustments == 0
    assert {name: value for name, value in row.items() if name != "summary"} | {"report": ""} == {
        "reconciliation_id": "rec_1",
        "account": "main",
        "timestamp": "2026-01-31T12:00:00.000000+00:00",
        "reconciliation_type": "balances",
        "status": "partial",
        "verdict": "discrepancies",
        "discrepancies_found": 1,
        "auto_corrected": 0,
        "manual_review_required": 1,
        "duration_seconds": 0.25,
        "report": "",
    }


def run(*known: Followed, at: int = 0, account: str = "main", finding: str = "differs") -> Carried:
    """Return what becomes of *known* in a run so many minutes after T0 that saw BTC in this way."""
    made = report(minute=at, account=account)
    made = replace(made, cut=replace(made.cut, exchange=T0 + timedelta(minutes=at)))
    key = made.findings[0].key
    others: dict[str, Finding] = {"agrees": Agrees(key), "cannot_tell": CannotTell(key, "no answer")}
    findings = made.findings if finding == "differs" else (others[finding],)
    found = [replace(one, id=f"dis_{account}") for one in made.discrepancies] if finding == "differs" else []
    return carry_forward(known, findings, found, run=run_of(made, since=T0), policy=Policy())


async def saved(store: AnyStore, carried: Carried) -> Carried:
    """Save it under a report of its own."""
    minute = 0 if carried.at is None else int((carried.at - T0).total_seconds() // 60)
    judged = "_".join(one.account for one in carried.written)
    await store.save_report(report(f"rec_{minute}_{judged}", minute=minute), carried)
    return carried


async def test_a_discrepancy_read_back_is_equal_to_the_one_written(store: AnyStore) -> None:
    carried = await saved(store, run())
    assert await store.open_discrepancies("main") == carried.opened
    assert await store.discrepancy("dis_main") == carried.opened[0]
    assert await store.followed(["dis_main", "dis_main", "dis_gone"]) == carried.opened
    assert await store.changes("dis_main") == carried.opened[0].history


async def test_what_a_later_run_saw_takes_the_place_of_what_was_known_and_no_change_is_lost(store: AnyStore) -> None:
    first = await saved(store, run())
    second = await saved(store, run(*first.open, at=5))
    kept = await saved(store, run(*second.open, at=6, finding="cannot_tell"))
    assert await store.open_discrepancies("main") == second.confirmed == kept.kept
    cleared = await saved(store, run(*second.open, at=7, finding="agrees"))
    assert await store.open_discrepancies("main") == ()
    assert await store.followed(["dis_main"]) == cleared.cleared
    back = await saved(store, run(*cleared.cleared, at=9))
    assert await store.open_discrepancies("main") == back.reopened
    changes = await store.changes("dis_main")
    assert [change.what for change in changes] == ["opened", "confirmed", "cleared", "reopened"]
    assert [change.number for change in changes] == [1, 2, 3, 4]


async def test_saving_the_same_run_again_carries_nothing_twice(store: AnyStore) -> None:
    carried = run()
    for _ in range(2):
        await store.save_report(report(), carried)
    assert await store.open_discrepancies("main") == carried.opened
    assert len(await store.changes("dis_main")) == 1


async def test_of_two_runs_that_carry_on_from_one_state_the_second_writes_nothing(store: AnyStore) -> None:  # I13
    first = await saved(store, run())
    one, other = run(*first.open, at=2), run(*first.open, at=3, finding="agrees")
    await saved(store, one)
    with pytest.raises(StoreFailed, match="another run has judged dis_main since this one began"):
        await store.save_report(report("rec_late", minute=3), other)
    assert await store.report("rec_late") is None
    assert await store.open_discrepancies("main") == one.confirmed
    with pytest.raises(StoreFailed, match="dis_main"):
        await store.save_report(report("rec_blind", minute=4), run(at=4))


async def test_a_run_that_cannot_be_recorded_carries_nothing(store: AnyStore) -> None:  # I10
    await store.save_report(report())
    with pytest.raises(StoreFailed, match="recorded already"):
        await store.save_report(report(differs=False), run())
    assert await store.discrepancies(cleared=True) == ()


async def test_discrepancies_come_last_seen_first_and_can_be_narrowed(store: AnyStore) -> None:
    main = await saved(store, run())
    await saved(store, run(account="other", at=1))
    await saved(store, run(*main.open, at=2, finding="agrees"))

    async def ids(**wanted: Any) -> list[str]:
        return [one.id for one in await store.discrepancies(**wanted)]

    assert await ids() == ["dis_other"]
    assert await ids(cleared=True) == ["dis_other", "dis_main"]
    assert await ids(cleared=True, account="main") == ["dis_main"]
    assert await ids(cleared=True, limit=1) == ["dis_other"]
    assert await store.open_discrepancies("main") == ()


async def test_the_beginning_of_a_discrepancys_id_is_enough_where_only_one_begins_so(store: AnyStore) -> None:
    carried = await saved(store, run())
    await saved(store, run(account="other"))
    assert await store.discrepancy("dis_m") == carried.opened[0]
    assert [await store.discrepancy(asked) for asked in ("dis_x", "", "%", "DIS_M", "is_main")] == [None] * 5
    with pytest.raises(StoreFailed, match="several discrepancies begin with dis_: dis_main, dis_other"):
        await store.discrepancy("dis_")
    assert await store.discrepancy("dis_", accounts=("main",)) == carried.opened[0]
    assert await store.discrepancy("dis_main", accounts=("other",)) is None
    assert await store.discrepancy("dis_", accounts=()) is None
    assert await store.changes("dis_x") == ()


async def test_more_discrepancies_than_a_statement_takes_parameters_are_kept(store: AnyStore) -> None:
    (pattern,) = run().opened
    many = tuple(replace(pattern, id=f"dis_{number:05}") for number in range(1200))
    await store.save_report(report(), Carried(at=T0, opened=many))
    assert await store.followed([one.id for one in many]) == many
    again = tuple(replace(one, revision=2, occurrences=2) for one in many)
    await store.save_report(report("rec_2"), Carried(at=T0 + timedelta(minutes=1), still_open=again))
    assert await store.open_discrepancies("main") == again


USD, BTC = Key(Kind.BALANCES, "USD", "spot"), Key(Kind.BALANCES, "BTC", "earn")
PERPETUAL = Key(Kind.POSITIONS, "XRP/USD")


async def test_counts_of_pending_runs_read_back_are_those_of_the_last_run(store: AnyStore) -> None:
    assert await store.pending_runs("main", "kraken") == {}
    await store.save_report(report(), pending={USD: 1, BTC: 2})
    assert await store.pending_runs("main", "kraken") == {USD: 1, BTC: 2}
    await store.save_report(report("rec_2", minute=1), pending={USD: 2, PERPETUAL: 1})
    assert await store.pending_runs("main", "kraken") == {USD: 2, PERPETUAL: 1}
    await store.save_report(report("rec_3", minute=2))
    assert await store.pending_runs("main", "kraken") == {USD: 2, PERPETUAL: 1}
    await store.save_report(report("rec_4", minute=3), pending={})
    assert await store.pending_runs("main", "kraken") == {}


async def test_each_account_at_each_exchange_has_counts_of_its_own(store: AnyStore) -> None:
    await store.save_report(report(), pending={USD: 1})
    await store.save_report(report("rec_2", account="other"), pending={USD: 5})
    await store.save_report(replace(report("rec_3"), exchange="elsewhere"), pending={})
    assert await store.pending_runs("main", "kraken") == {USD: 1}
    assert await store.pending_runs("other", "kraken") == {USD: 5}
    assert await store.pending_runs("main", "elsewhere") == {}


async def test_a_run_that_cannot_be_recorded_counts_nothing(store: AnyStore) -> None:  # I10
    await store.save_report(report(), pending={USD: 1})
    with pytest.raises(StoreFailed, match="recorded already"):
        await store.save_report(report(differs=False), pending={USD: 2})
    first = await saved(store, run())
    await saved(store, run(*first.open, at=1))
    with pytest.raises(StoreFailed, match="another run"):
        await store.save_report(report("rec_late", minute=2), run(*first.open, at=2), pending={USD: 2})
    await store.save_report(report(), pending={USD: 7})
    assert await store.pending_runs("main", "kraken") == {USD: 1}
