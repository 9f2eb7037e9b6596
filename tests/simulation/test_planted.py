"""What is wrong in a book on purpose, and how much of it is left once a part of it was put right."""

from datetime import UTC, datetime
from decimal import Decimal

from gal_friday.adapters.simulated import Exchange, VirtualClock
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.simulation.events import Scribe
from gal_friday.simulation.planted import Planted

USD, XRP = (Asset("USD"), Wallet.SPOT), (Asset("XRP"), Wallet.SPOT)


def test_of_several_fills_only_those_are_left_that_are_not_booked_yet() -> None:
    clock = VirtualClock()
    exchange = Exchange(clock.now, seed=1)
    exchange.open_account("main")
    exchange.deposit("main", "ZUSD", "1000")
    exchange.set_price("XXRPZUSD", "0.5")
    happened: list[object] = []
    exchange.listeners.append(lambda _, happening: happened.append(happening))
    exchange.place_order("main", "XXRPZUSD", "buy", "market", "300", parts=3)
    (heard,) = Scribe(exchange, clock).events("trade", happened)  # type: ignore[arg-type]
    keys = tuple(f"fills:{one.fill_id}" for one in heard.fills)
    planted = Planted(
        account="main", lie="missed", at=datetime(2026, 3, 1, tzinfo=UTC), keys=keys,
        causes=frozenset({Cause.MISSED_FILL}), records=heard.records, effects=heard.moved, parts=heard.parts,
        truth=heard.fills,
    )  # fmt: skip
    assert planted.left == {XRP: Decimal(300), USD: heard.moved[USD]}
    planted.right = frozenset(keys[:2])
    assert planted.left == {XRP: Decimal(100), USD: heard.parts[heard.fills[2].fill_id][USD]}
    planted.right = frozenset(keys)
    assert not any(planted.left.values())
