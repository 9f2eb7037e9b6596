"""Where the running balances do not follow from the rows, people are told where to look (K2)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gal_friday.adapters.kraken.breaks import breaks
from gal_friday.adapters.kraken.crosscheck import Window, fills_without_rows, trades_only_in_ledger
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill, Movement, OrderSide

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def row(name: str, amount: str, after: str | None, *, fee: str = "0", at: float = 0, asset: str = "ZUSD") -> Movement:
    return Movement(
        movement_id=name,
        kind="trade",
        asset=Asset(asset),
        wallet=Wallet.SPOT,
        amount=Decimal(amount),
        fee=Decimal(fee),
        balance_after=None if after is None else Decimal(after),
        at=NOON + timedelta(seconds=at),
        refers_to=f"T{name}",
        raw=(asset, ""),
    )


def test_rows_that_follow_from_each_other_have_no_break() -> None:
    rows = [
        row("L1", "10", "10"),
        row("L2", "-3", "6.9", fee="0.1", at=1),
        row("L3", "0", "5.9", fee="1", at=2),
    ]
    assert breaks(rows) == ()


def test_a_missing_row_is_named_by_asset_neighbours_and_gap() -> None:
    (reason,) = breaks([row("L1", "10", "10"), row("L3", "1", "8", at=20)])
    assert "ZUSD" in reason
    assert "L1 and L3" in reason
    assert "moved by -3 " in reason


def test_after_a_break_the_chain_goes_on() -> None:
    assert len(breaks([row("L1", "10", "10"), row("L3", "1", "8", at=20), row("L4", "1", "9", at=30)])) == 1


def test_each_spelling_of_an_asset_has_its_own_chain() -> None:
    rows = [row("L1", "10", "10", asset="XXBT"), row("L2", "4", "4", at=1, asset="XBT.F"),
            row("L3", "-4", "6", at=2, asset="XXBT")]  # fmt: skip
    assert breaks(rows) == ()


def test_a_row_without_a_running_balance_proves_nothing() -> None:
    rows = [row("L1", "10", "10"), row("L2", "10", None, at=1), row("L3", "10", None, at=2), row("L4", "1", "2", at=3)]
    assert breaks(rows) == ("ledger of ZUSD: row L2 has no running balance",)


def test_a_break_beside_a_row_without_a_running_balance_is_told_as_well() -> None:
    rows = [row("L1", "10", "10"), row("L3", "1", "8", at=20), row("L4", "10", None, at=40)]
    assert ["no running balance" in each for each in breaks(rows)] == [True, False]


def test_many_breaks_are_told_in_few_words() -> None:
    rows = [row(f"L{number}", "1", str(number * 10), at=number * 60) for number in range(60)]
    assert len(breaks(rows)) == 21
    assert "39 more" in breaks(rows)[-1]


# --- fills against the ledger -------------------------------------------------------------------

DAY = Window(NOON - timedelta(days=1), NOON + timedelta(days=1))


def a_fill(name: str, *, at: datetime = NOON, margin: bool = False) -> Fill:
    return Fill(name, Instrument("BTC/USD"), OrderSide.BUY, Decimal(1), Decimal(1), at, margin=margin)


def test_a_trade_that_only_the_ledger_knows_is_found() -> None:
    assert trades_only_in_ledger([a_fill("TL1")], [row("L1", "1", "1"), row("L2", "1", "2")], DAY) == ("TL2",)


def test_a_spot_fill_without_a_row_is_found_and_one_on_margin_is_not() -> None:
    fills = [a_fill("TL1"), a_fill("TL2"), a_fill("TL3", margin=True)]
    assert fills_without_rows(fills, [row("L1", "1", "1")], DAY) == ("TL2",)


@pytest.mark.parametrize("at", [DAY.since, DAY.since + timedelta(seconds=5), DAY.until - timedelta(seconds=90)])
def test_nothing_is_concluded_at_the_edges_of_the_window(at: datetime) -> None:
    assert fills_without_rows([a_fill("T1", at=at)], [], DAY) == ()


def test_windows_are_compared_where_they_overlap() -> None:
    other = Window(NOON, NOON + timedelta(days=3))
    assert DAY.common(other) == Window(NOON, DAY.until)
