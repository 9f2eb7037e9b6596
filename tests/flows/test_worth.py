"""What differences are worth: which source is believed, how old a price may be, and what the report says of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.adapters.clock import SteppedClock, SystemClock
from gal_friday.adapters.prices import FixedPrices
from gal_friday.adapters.store import MemoryStore
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.policy import Policy
from gal_friday.domain.price import Price, PriceSource
from gal_friday.domain.records import Balance
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Coverage, Coverages, Scales, Side, Snapshot
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.worth import Worth, worth
from gal_friday.ports.errors import PricesFailed
from gal_friday.ports.prices import Prices, Quotes
from tests.flows.test_pending_runs import ACCOUNT, KINDS, busy
from tests.flows.worlds import world

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BTC, XRP, FOO, USD = Asset("BTC"), Asset("XRP"), Asset("FOO"), Asset("USD")
HOUR = timedelta(hours=1)


class Stated:
    """Prices of one instant, or a failure."""

    def __init__(self, name: str, prices: Mapping[Asset, str], *, at: datetime | None = NOW, fails: str = "") -> None:
        self.name, self.fails = name, fails
        self.held = {asset: Price(Decimal(price), name, at) for asset, price in prices.items()}
        self.asked: list[tuple[Asset, ...]] = []

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return what is held, or fail."""
        self.asked.append(tuple(assets))
        if self.fails:
            raise PricesFailed(self.fails)
        return Quotes({asset: self.held[asset] for asset in assets if asset in self.held}, frozenset(self.held))


def side(name: Side, **totals: str) -> Snapshot:
    rows = tuple(Balance(Asset(asset), Wallet.SPOT, Decimal(total)) for asset, total in totals.items())
    return Snapshot(
        side=name,
        account="main",
        exchange="kraken",
        as_of=NOW,
        coverage=Coverages(balances=Coverage.TOTAL),
        balances=rows,
        scales=Scales(assets={BTC: 10, XRP: 8, USD: 4}) if name == "exchange" else Scales(),
    )


async def valued(*sources: Prices, policy: Policy | None = None) -> Worth:
    """Return the worth of a difference in BTC and one in FOO."""
    policy = policy or Policy()
    sides = side("internal", BTC="1", FOO="5", USD="1"), side("exchange", BTC="2", FOO="6", USD="2")
    findings = compare_snapshots(*sides, policy=policy)
    return await worth(sources, findings, sides, policy=policy, clock=SteppedClock(start=NOW))


async def test_the_first_source_that_has_a_price_is_believed_and_the_next_is_asked_for_the_rest() -> None:
    first, second = Stated("first", {BTC: "1"}), Stated("second", {BTC: "2", FOO: "3"}, at=None)
    found = await valued(first, second)
    assert found.prices == {BTC: Decimal(1), FOO: Decimal(3)}
    assert found.sources == {"BTC": PriceSource("first", NOW), "FOO": PriceSource("second", None)}
    assert found.notes == ()
    assert (first.asked, second.asked) == ([(BTC, FOO)], [(FOO,)])


async def test_a_missing_price_is_said_by_name_and_never_guessed() -> None:
    found = await valued(Stated("first", {BTC: "1"}))
    assert found.prices == {BTC: Decimal(1)}
    assert found.notes == ("no price for FOO: severity by share alone",)


@pytest.mark.parametrize("age, used", [(HOUR, True), (HOUR + timedelta(microseconds=1), False)])
async def test_a_price_as_old_as_is_allowed_is_used_and_an_older_one_is_not(age: timedelta, used: bool) -> None:
    found = await valued(Stated("old", {BTC: "1"}, at=NOW - age), Stated("none", {}))
    assert (BTC in found.prices) is used


async def test_what_is_not_valued_because_of_its_price_is_said_with_the_age() -> None:
    found = await valued(Stated("p.csv", {BTC: "1", FOO: "1"}, at=NOW - 3 * HOUR), Stated("kraken", {FOO: "2"}))
    assert found.prices == {FOO: Decimal(2)}
    limit = "(max_price_age_minutes = 60)"
    assert found.notes == (
        f"difference in BTC is not valued: the price in p.csv is 3 h old {limit}",
        f"difference in FOO is valued by kraken: the price in p.csv is 3 h old {limit}",
    )


async def test_the_age_that_is_allowed_is_a_setting() -> None:
    old = Stated("p.csv", {BTC: "1", FOO: "1"}, at=NOW - 3 * HOUR)
    assert set((await valued(old, policy=Policy(max_price_age_minutes=180))).prices) == {BTC, FOO}


async def test_a_price_of_the_future_is_not_used_and_said() -> None:
    ahead = timedelta(minutes=1)
    assert set((await valued(Stated("p.csv", {BTC: "1", FOO: "1"}, at=NOW + ahead))).prices) == {BTC, FOO}
    found = await valued(Stated("p.csv", {BTC: "1", FOO: "1"}, at=NOW + timedelta(hours=49)))
    assert found.prices == {}
    assert all("is not valued: the price in p.csv is dated 2 d in the future" in note for note in found.notes)


async def test_a_price_that_is_fixed_has_no_age() -> None:
    found = await valued(FixedPrices({BTC: Decimal(9), FOO: Decimal(1)}, currency=USD))
    assert found.sources["BTC"] == PriceSource("configuration", None)


async def test_a_source_that_fails_costs_its_prices_and_nothing_else() -> None:
    found = await valued(Stated("p.csv", {}, fails="p.csv is gone"), Stated("kraken", {BTC: "1", FOO: "2"}))
    assert set(found.prices) == {BTC, FOO}
    assert found.notes == ("differences could not be valued by p.csv: p.csv is gone",)


async def test_a_price_of_an_asset_that_nobody_knows_is_said_to_be_misspelt() -> None:
    found = await valued(Stated("p.csv", {BTC: "1", FOO: "1", XRP: "1", Asset("BTCC"): "1"}))
    assert found.notes == ("p.csv has a price for BTCC, which neither side knows; correct the name",)


async def run(*sources: Prices, policy: Policy | None = None, ticker: bool = True) -> ReconciliationReport:
    async with world() as account:
        if not ticker:
            account.server.faults.switch_on("bad_gateway_html", endpoint="Ticker", times=None)
        since = account.clock.now() - timedelta(hours=24)
        return await reconcile(account.sources, MemoryStore(), policy=policy or Policy(), since=since, prices=sources)


async def test_a_report_tells_the_source_and_instant_of_every_price_and_is_read_back_equal() -> None:
    report = await run(FixedPrices({Asset("ETH"): Decimal("1234")}, currency=USD))
    assert report.prices["ETH"] == Decimal("1234")
    assert report.price_sources["ETH"] == PriceSource("configuration", None)
    assert set(report.prices) == set(report.price_sources)
    others = [origin for asset, origin in report.price_sources.items() if asset != "ETH"]
    assert {origin.source for origin in others} == {"kraken"}
    assert all(origin.at is not None and origin.at >= report.cut.exchange for origin in others)
    assert ReconciliationReport.from_json(report.to_json()) == report


async def test_where_the_exchange_gives_no_prices_those_that_are_stated_stand() -> None:
    report = await run(FixedPrices({Asset("ETH"): Decimal("1234")}, currency=USD), ticker=False)
    assert set(report.prices) == {"ETH"}
    assert any(note.startswith("differences could not be valued by kraken: ") for note in report.notes)
    (missing,) = [note for note in report.notes if note.startswith("no price for ")]
    assert "ETH" not in missing
    assert missing.endswith(": severity by share alone")


async def test_a_price_file_that_went_stale_is_said_in_the_report_of_the_service(tmp_path: Path) -> None:
    stale = SystemClock().now() - timedelta(hours=3, minutes=5)
    (tmp_path / "p.csv").write_text(f"asset,price,currency,at\nBTC,1,USD,{stale.isoformat()}\n")
    async with busy(tmp_path, f'[prices]\nfile = "{tmp_path / "p.csv"}"\n') as account:
        await account.run(deposit=False)
        account.exchange.now = lambda: SystemClock().now() - timedelta(minutes=10)
        account.exchange.deposit(ACCOUNT, "XXBT", "0.5")
        account.exchange.now = SystemClock().now
        async with ReconciliationService(account.settings) as service:
            report = await service.run_reconciliation(ACCOUNT, only=KINDS)
    assert report.price_sources["BTC"].source == "kraken"
    assert any(
        note.startswith("difference in BTC is valued by kraken: the price in ") and "p.csv is 3 h old" in note
        for note in report.notes
    )
