"""One run, from both sides to the recorded report."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from gal_friday.adapters.store import MemoryStore
from gal_friday.bootstrap.demo_check import missing_and_unexpected, wrongly_explained
from gal_friday.domain.cause import Cause
from gal_friday.domain.finding import CannotTell, Key
from gal_friday.domain.following import Carried
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.store import NOTHING_CARRIED
from tests.flows.worlds import world

ENDPOINTS = {
    Kind.BALANCES: "BalanceEx",
    Kind.POSITIONS: "OpenPositions",
    Kind.ORDERS: "OpenOrders",
    Kind.FILLS: "TradesHistory",
    Kind.MOVEMENTS: "Ledgers",
}


async def test_a_report_shows_every_planted_fault_and_nothing_else() -> None:
    async with world() as account:
        report = await account.run()
    assert missing_and_unexpected(report, account.written.accidents) == ([], [])
    assert wrongly_explained(report, account.written.accidents) == []
    assert report.verdict is Verdict.DISCREPANCIES
    assert report.status is ReconciliationStatus.PARTIAL


async def test_the_check_of_the_demo_notices_a_fault_that_was_not_planted() -> None:
    async with world() as account:
        account.day.exchange.deposit("main", "ZEUR", "1.00")
        # Long enough ago that it is not on its way to the book any more.
        account.clock.advance(120)
        report = await account.run()
    missing, unexpected = missing_and_unexpected(report, account.written.accidents)
    assert missing
    assert unexpected
    assert wrongly_explained(report, account.written.accidents)


async def test_the_check_of_the_demo_notices_a_cause_that_is_not_told_and_an_amount_explained_away() -> None:
    async with world() as account:
        report = await account.run()
    accidents = account.written.accidents
    assert wrongly_explained(replace(report, root_causes=report.root_causes[1:]), accidents) != []
    unplanted = [one for one in accidents if one.cause is not Cause.UNEXPLAINED]
    assert any("of which -417.31 unexplained" in line for line in wrongly_explained(report, unplanted))


async def test_a_second_run_on_the_same_facts_finds_the_same_discrepancies() -> None:
    """I12: ids are derived from content, so a replay meets its own tracks."""
    async with world() as account:
        first, second = await account.run(), await account.run()
    assert [one.id for one in first.discrepancies] == [one.id for one in second.discrepancies]
    assert first.findings == second.findings


async def test_a_recorded_report_is_read_back_equal() -> None:
    async with world() as account:
        store = MemoryStore()
        report = await account.run(store)
        assert await store.report(report.reconciliation_id) == report
    assert ReconciliationReport.from_json(report.to_json()) == report


@pytest.mark.parametrize("kind", ENDPOINTS)
async def test_a_part_that_cannot_be_read_is_incomplete_and_never_missing(kind: Kind) -> None:
    """N1, I5, I6: a failed read costs that part, gives no discrepancy of it, and no green verdict."""
    async with world() as account:
        account.server.faults.switch_on("cut_json", endpoint=ENDPOINTS[kind], times=None)
        report = await account.run()
    assert report.verdict is Verdict.INCOMPLETE
    assert any(gap.kind is kind and gap.side == "exchange" for gap in report.not_checked)
    judged = [found for found in report.findings if found.key.kind is kind]
    assert all(isinstance(found, CannotTell) for found in judged)
    assert report.error_messages


async def test_an_exchange_in_maintenance_fails_the_run_and_accuses_nobody() -> None:
    async with world() as account:
        account.server.faults.switch_on("maintenance", times=None)
        report = await account.run()
    assert report.status is ReconciliationStatus.FAILED
    assert report.verdict is Verdict.INCOMPLETE
    assert report.total_discrepancies == 0


async def test_a_book_that_nobody_ever_fed_fails_the_run_and_says_how_to_feed_it() -> None:
    async with world(write=False) as account:
        report = await account.run()
    assert report.status is ReconciliationStatus.FAILED
    assert report.total_discrepancies == 0
    assert any("book import" in message for message in report.error_messages)


async def test_a_report_that_cannot_be_recorded_comes_back_as_failed_with_all_that_was_found() -> None:
    class FullDisk(MemoryStore):
        async def save_report(
            self,
            report: ReconciliationReport,
            carried: Carried = NOTHING_CARRIED,
            *,
            pending: Mapping[Key, int] | None = None,
        ) -> None:
            raise StoreFailed("the disk is full; make room and run again")

    async with world() as account:
        report = await account.run(FullDisk())
    assert report.status is ReconciliationStatus.FAILED
    assert report.total_discrepancies > 0
    assert "disk is full" in report.error_messages[-1]


async def test_kinds_that_were_left_out_are_listed_and_do_not_spoil_the_verdict() -> None:
    async with world() as account:
        report = await account.run(only=(Kind.ORDERS,))
    assert report.verdict is Verdict.DISCREPANCIES
    assert report.balances_checked == 0
    left_out = {gap.kind for gap in report.not_checked if gap.side is None}
    assert left_out >= {Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS}


async def test_without_prices_a_report_stands_and_says_so() -> None:
    async with world() as account:
        account.server.faults.switch_on("bad_gateway_html", endpoint="Ticker", times=None)
        report = await account.run()
    assert missing_and_unexpected(report, account.written.accidents) == ([], [])
    assert any("could not be valued" in note for note in report.notes)
    assert all(one.value is None for one in report.balance_discrepancies if one.currency != "USD")
