"""A pair that the exchange lists under another id while it is traded."""

from decimal import Decimal

from gal_friday.adapters.simulated import Exchange, VirtualClock


def test_orders_and_trades_of_before_keep_the_id_of_their_time_and_go_on() -> None:
    clock = VirtualClock()
    exchange = Exchange(clock.now, seed=1)
    exchange.open_account("main")
    exchange.deposit("main", "XXBT", "1")
    exchange.set_price("XETHXXBT", "0.05")
    resting = exchange.place_order("main", "XETHXXBT", "buy", "limit", "1", "0.04", rest=True)
    exchange.rename_pair("XETHXXBT", "ETHBTC")
    exchange.fill_order(resting.order, "0.5")
    exchange.place_order("main", "XETHXXBT", "buy", "market", "0.1")
    account = exchange.account("main")
    assert account.orders[resting.order].pair == "XETHXXBT"
    assert [one.pair for one in account.trades.rows] == ["ETHBTC", "ETHBTC"]
    assert exchange.prices["ETHBTC"] == Decimal("0.05")
    assert "XETHXXBT" not in exchange.instruments.pairs
