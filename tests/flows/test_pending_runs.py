"""A key that never holds still is judged after so many runs, and the count of them outlives the process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken.exports import read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.domain.finding import Agrees, CannotTell, Differs, Finding, Key, Pending
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport

ACCOUNT = "main"
USD = Key(Kind.BALANCES, "USD", "spot")
# Kraken's exports do not list orders, so this book does not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)


class Busy(Struct):
    """An account whose book is always one deposit behind, as the book of a system that never rests."""

    exchange: Exchange
    server: SimulatedKraken
    settings: Settings
    folder: Path

    async def run(
        self, *, deposit: bool = True, only: Sequence[Kind] = KINDS, catch_up: bool = True
    ) -> ReconciliationReport:
        """Let the book catch up and money arrive, then reconcile in a service that was started for it alone."""
        async with ReconciliationService(self.settings) as service:
            if catch_up:
                await self._caught_up(service)
            if deposit:
                self.exchange.deposit(ACCOUNT, "ZUSD", "7")
            return await service.run_reconciliation(ACCOUNT, only=only)

    async def _caught_up(self, service: ReconciliationService) -> None:
        ledgers, trades = self.folder / "ledgers.csv", self.folder / "trades.csv"
        ledgers.write_text(self.exchange.ledgers_csv(ACCOUNT))
        trades.write_text(self.exchange.trades_csv(ACCOUNT))
        exports = read_exports(ledgers, trades)
        await service.opened.book.append(
            account=ACCOUNT, exchange="kraken", fills=exports.fills, movements=exports.movements
        )

    async def counted(self) -> dict[Key, int]:
        """Return what the store has counted, read in a service that was started for it alone."""
        async with ReconciliationService(self.settings) as service:
            return dict(await service.opened.store.pending_runs(ACCOUNT, "kraken"))


@asynccontextmanager
async def busy(folder: Path, more: str = "") -> AsyncIterator[Busy]:
    # Long enough ago that nothing of the beginning is on its way any more.
    exchange = Exchange(lambda: SystemClock().now() - timedelta(hours=1), seed=5)
    exchange.open_account(ACCOUNT)
    exchange.set_price("XXBTZUSD", "60000")
    exchange.deposit(ACCOUNT, "ZUSD", "10000")
    exchange.place_order(ACCOUNT, "XXBTZUSD", "buy", "market", "0.1")
    exchange.now = SystemClock().now
    key = exchange.issue_key(ACCOUNT, tier="pro")
    (folder / "key").write_text(key.key)
    (folder / "secret").write_text(key.secret)
    async with SimulatedKraken(exchange, enforce_limits=False) as server:
        configuration = folder / "gal-friday.toml"
        configuration.write_text(
            f'state_folder = "{folder}"\n[database]\nurl = "sqlite+aiosqlite:///{folder / "busy.db"}"\n'
            f'[accounts.main]\napi_key = "file:{folder / "key"}"\napi_secret = "file:{folder / "secret"}"\n'
            f'url = "{server.url}"\ntier = "none"\n{more}'
        )
        yield Busy(exchange, server, load(configuration, environment={}), folder)


def of_usd(report: ReconciliationReport) -> Finding:
    return next(found for found in report.findings if found.key == USD)


async def test_a_key_that_moves_in_every_run_is_judged_after_as_many_runs_as_the_policy_says(tmp_path: Path) -> None:
    async with busy(tmp_path) as account:
        reports = [await account.run() for _ in range(5)]
    assert [type(of_usd(report)) for report in reports] == [Pending, Pending, Pending, Agrees, Pending]
    assert [report.cut.past is not None for report in reports] == [False, False, False, True, False]
    assert all(report.total_discrepancies == 0 for report in reports)


async def test_a_key_that_holds_still_for_one_run_starts_again(tmp_path: Path) -> None:
    async with busy(tmp_path) as account:
        await account.run()
        await account.run()
        assert (await account.counted())[USD] == 2
        still = await account.run(deposit=False)
        assert isinstance(of_usd(still), Agrees)
        assert USD not in await account.counted()
        await account.run()
        assert (await account.counted())[USD] == 1


@pytest.mark.parametrize("endpoint", ["BalanceEx", None])
async def test_a_run_that_could_not_look_neither_counts_nor_resets(tmp_path: Path, endpoint: str | None) -> None:
    async with busy(tmp_path) as account:
        await account.run()
        before = await account.counted()
        account.server.faults.switch_on(
            "maintenance" if endpoint is None else "permission_lost", endpoint=endpoint, times=None
        )
        blind = await account.run()
        assert all(isinstance(found, CannotTell) for found in blind.findings if found.key == USD)
        assert (await account.counted())[USD] == before[USD] == 1


async def test_a_run_that_was_about_something_else_neither_counts_nor_resets(tmp_path: Path) -> None:
    async with busy(tmp_path) as account:
        await account.run()
        await account.run(only=(Kind.FILLS,))
        assert (await account.counted())[USD] == 1


async def test_the_number_of_runs_is_a_setting(tmp_path: Path) -> None:
    async with busy(tmp_path, "[reconciliation]\npending_runs = 1\n") as account:
        reports = [await account.run() for _ in range(2)]
    assert [type(of_usd(report)) for report in reports] == [Pending, Agrees]


async def test_an_amount_is_not_off_because_it_moved_where_nobody_could_read_what_moved(tmp_path: Path) -> None:
    async with busy(tmp_path) as account:
        account.server.faults.switch_on("permission_lost", endpoint="Ledgers", times=None)
        reports = [await account.run(deposit=number == 0, catch_up=number == 0) for number in range(3)]
        account.server.faults.switch_off()
        seen = await account.run(deposit=False)
    first, again, open_now = map(of_usd, reports)
    assert isinstance(first, Pending)
    assert first.reason == (
        "USD differs, and may have moved a moment ago: the exchange's movements could not be read; "
        "the next run will tell"
    )
    # Still off, it is judged, and as long as it is known to be.
    assert (type(again), type(open_now)) == (Differs, Differs)
    assert [report.total_discrepancies for report in reports] == [0, 1, 1]
    assert isinstance(of_usd(seen), Agrees)
