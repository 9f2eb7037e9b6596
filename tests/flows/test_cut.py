"""The two sides at one cut: heads and versions, the grace, the second look, and keys that never hold still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from benchmarks.market import ACCOUNT, Market
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import Agrees, CannotTell, Differs, ExchangeOnly, Finding, InternalOnly, Key, Pending
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Fill, Kind
from gal_friday.domain.snapshot import Coverage, Scales
from gal_friday.flows.fetch import Fetched, fetch

GRACE = 40
POLICY = Policy(grace_seconds=GRACE)
USD = Key(Kind.BALANCES, "USD", "spot")


class Quiet(Market):
    """A market in which nothing happens by itself."""

    def _happen(self) -> None:
        pass


@asynccontextmanager
async def quiet() -> AsyncIterator[Quiet]:
    market = Quiet(1, faults=0)
    await market.open(seconds=300)
    yield market
    await market.sources.exchange.close()


async def look(market: Market, **more: object) -> tuple[Fetched, dict[Key, Finding]]:
    since = market.clock.now() - timedelta(minutes=10)
    fetched = await fetch(market.sources, since=since, only=RECORD_KINDS, policy=POLICY, **more)  # type: ignore[arg-type]
    findings = compare_snapshots(fetched.internal, fetched.exchange, policy=POLICY, motion=fetched.motion)
    return fetched, {found.key: found for found in findings}


def deposit(market: Market, amount: str = "7") -> Key:
    """Let money arrive that the book does not hear of; return the key of its row."""
    return Key(Kind.MOVEMENTS, market.exchange.deposit(ACCOUNT, "ZUSD", amount).ledgers[0])


def trade(market: Market) -> Fill:
    placed = market.exchange.place_order(ACCOUNT, "XXBTZUSD", "buy", "market", "0.01")
    return market._fill(placed.executions[0])


async def book(market: Market, *fills: Fill) -> None:
    await market.book.append(account=ACCOUNT, exchange="kraken", fills=fills)


class Interrupted(Quiet):
    """A market in which money arrives whenever this endpoint is asked."""

    endpoint = ""
    times = 0

    async def handle_async_request(self, request):  # type: ignore[no-untyped-def]
        """Let it arrive just before the answer."""
        if request.url.path.endswith(self.endpoint) and self.times:
            self.times -= 1
            (row,) = self.exchange.deposit(ACCOUNT, "ZUSD", "7").ledgers
            rows = (self._movement(row),)
            await self.book.append(account=ACCOUNT, exchange="kraken", movements=rows)
        return await super().handle_async_request(request)


async def interrupted(endpoint: str, times: int = 1) -> tuple[Fetched, dict[Key, Finding]]:
    market = Interrupted(1, faults=0)
    await market.open(seconds=300)
    market.endpoint, market.times = endpoint, times
    return await look(market)


async def test_two_sides_that_stand_still_give_a_clean_cut_at_the_newest_row() -> None:
    async with quiet() as market:
        fetched, found = await look(market)
        newest = market.account.ledger.rows[-1].id
    assert fetched.cut.clean
    assert fetched.cut.row == newest == fetched.exchange.version
    assert all(isinstance(each, Agrees) for each in found.values())


async def test_rows_that_arrive_after_the_balances_are_added_to_them() -> None:
    fetched, found = await interrupted("OpenOrders")
    assert not fetched.cut.clean
    (usd,) = [row for row in fetched.exchange.balances if row.asset == "USD"]
    assert usd.total == fetched.exchange.movements[-1].balance_after
    assert isinstance(found[USD], Agrees)


async def test_rows_that_arrive_after_the_ledger_belong_to_neither_balances_nor_cut() -> None:
    fetched, found = await interrupted("TradesHistory")
    assert fetched.cut.clean is False
    usd = found[USD]
    assert isinstance(usd, Pending), "the book has it, and so it is on its way"
    assert fetched.motion.until("USD") == usd.until


async def test_a_deposit_that_the_book_lacks_is_pending_until_the_grace_is_over_and_then_missing() -> None:
    async with quiet() as market:
        key = deposit(market)
        await market.pass_time(5)
        _, young = await look(market)
        row = market.account.ledger.rows[-1]
        await market.pass_time(GRACE)
        _, old = await look(market)
    pending = young[key]
    assert isinstance(pending, Pending)
    assert isinstance(young[USD], Pending)
    assert pending.until == market._movement(row.id).at + timedelta(seconds=GRACE)
    assert isinstance(old[key], ExchangeOnly)
    assert isinstance(old[USD], Differs)


async def test_a_fill_of_the_stream_is_never_undone_by_an_older_answer() -> None:  # N6
    async with quiet() as market:
        market.exchange.quirks.fill_lag = market.exchange.quirks.ledger_lag = timedelta(seconds=30)
        fill = trade(market)
        await book(market, fill)
        await market.pass_time(1)
        _, found = await look(market)
    assert isinstance(found[Key(Kind.FILLS, fill.fill_id)], Pending)
    assert not any(isinstance(each, Differs | InternalOnly | ExchangeOnly) for each in found.values())


async def test_an_old_difference_shows_at_once_although_its_asset_is_moving() -> None:
    async with quiet() as market:
        deposit(market)
        await market.pass_time(GRACE + 20)
        await book(market, trade(market))
        await market.pass_time(1)
        _, found = await look(market)
    usd = found[USD]
    assert isinstance(usd, Differs)
    assert usd.mismatches[0].difference == Decimal(7)  # type: ignore[union-attr]


async def test_a_key_that_never_holds_still_is_judged_by_the_past_after_enough_runs() -> None:
    async with quiet() as market:
        deposit(market, "1")
        await market.pass_time(1)
        fetched, found = await look(market, pending={USD: POLICY.pending_runs - 1})
        assert isinstance(found[USD], Pending)
        assert fetched.cut.past is None
        fetched, found = await look(market, pending={USD: POLICY.pending_runs})
    assert isinstance(found[USD], Agrees)
    assert fetched.cut.past is not None
    assert fetched.cut.past <= fetched.cut.exchange - timedelta(seconds=GRACE)


async def test_a_moving_key_of_a_book_without_movements_is_not_pending_for_ever() -> None:  # I6
    async with quiet() as market:
        deposit(market)
        await market.pass_time(1)
        fetched, _ = await look(market)
        bare = replace(
            fetched.internal, movements=(), coverage=replace(fetched.internal.coverage, movements=Coverage.NONE)
        )
        motion = replace(fetched.motion, past=None, ripe=frozenset({USD}))
        found = {each.key: each for each in compare_snapshots(bare, fetched.exchange, policy=POLICY, motion=motion)}
    assert isinstance(found[USD], CannotTell)


class Behind(Quiet):
    """A market whose list of fills is further behind than the grace, while the answer about one fill is not."""

    async def handle_async_request(self, request):  # type: ignore[no-untyped-def]
        """Catch up before a fill is asked for by its id."""
        if request.url.path.endswith("QueryTrades"):
            self.exchange.quirks.fill_lag = timedelta()
        return await super().handle_async_request(request)


async def test_a_fill_that_the_list_lacks_is_found_by_its_id_before_it_is_called_missing() -> None:  # N4
    market = Behind(1, faults=0)
    await market.open(seconds=300)
    market.exchange.quirks.fill_lag = timedelta(minutes=5)
    fill = trade(market)
    await book(market, fill)
    await market.pass_time(GRACE + 5)
    fetched, found = await look(market)
    assert "QueryTrades" in market._service.calls
    assert [row.fill_id for row in fetched.exchange.fills] == [fill.fill_id]
    assert isinstance(found[Key(Kind.FILLS, fill.fill_id)], Agrees)


async def test_what_cannot_be_asked_for_again_is_not_called_missing() -> None:  # N1
    async with quiet() as market:
        real = trade(market)
        await book(market, real, replace(real, fill_id="TGHOST-AAAAA-BBBBBB"))
        await market.pass_time(GRACE + 5)
        _, denied = await look(market)
        market._service.faults.switch_on("bad_gateway_html", endpoint="QueryTrades", times=None)
        fetched, unanswered = await look(market)
    ghost = Key(Kind.FILLS, "TGHOST-AAAAA-BBBBBB")
    assert isinstance(denied[ghost], InternalOnly)
    assert isinstance(unanswered[ghost], CannotTell)
    assert any(gap.kind is Kind.FILLS for gap in fetched.exchange.not_checked)


async def test_the_book_counts_as_moving_where_it_changed_between_its_two_readings() -> None:
    async with quiet() as market:
        scales = Scales()
        before = await market.book.snapshot(account=ACCOUNT, since=market.clock.now(), scales=scales)
        await book(market, trade(market))
        fetched, _ = await look(market)
    assert before.version != fetched.internal.version
    assert {Asset("BTC"), Asset("USD")} <= fetched.motion.assets
    assert all(row.wallet is Wallet.SPOT for row in fetched.internal.balances)
