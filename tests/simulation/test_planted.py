"""What is wrong in a book on purpose, and how much of it is left once a part of it was put right."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gal_friday.adapters.simulated import Exchange, VirtualClock
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.simulation.events import Scribe
from gal_friday.simulation.planted import Planted
from gal_friday.simulation.tally import planted_effects
from tests.domain.build import fill, internal, movement

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


def test_what_a_fill_moved_may_be_booked_while_the_fill_is_not() -> None:
    missing = Planted(
        account="main", lie="missed", at=datetime(2026, 3, 1, tzinfo=UTC), keys=("fills:T1",),
        causes=frozenset({Cause.MISSED_FILL}), records=frozenset({"T1"}), effects={XRP: Decimal(10), USD: Decimal(-5)},
        truth=(fill("T1", quantity="10", price="0.5"),),
    )  # fmt: skip
    row = movement("L1", "10", "XRP", refers_to="T1", kind="trade")
    assert planted_effects([missing], internal()) == {XRP: Decimal(10), USD: Decimal(-5)}
    assert planted_effects([missing], internal(row)) == {USD: Decimal(-5)}
    # With the fill itself its rows are a part of it, and what is wrong with it is wrong in both.
    assert planted_effects([missing], internal(fill("T1", quantity="9", price="0.5"), row))[XRP] == Decimal(10)


@pytest.mark.parametrize(
    "decided, approved, left",
    [(True, {"adj_1"}, 0), (True, {"adj_2"}, -800), (True, (), -800), (False, {"adj_1"}, -800)],
)
def test_a_number_that_a_person_approved_stands_for_the_record_that_was_turned_down(
    decided: bool, approved: set[str], left: int
) -> None:
    missing = Planted(
        account="main", lie="delisting", at=datetime(2026, 3, 1, tzinfo=UTC), keys=("movements:L1",),
        causes=frozenset({Cause.DELISTING}), records=frozenset({"L1"}), effects={XRP: Decimal(-800)}, decided=decided,
    )  # fmt: skip
    held = internal(movement("plug:adj_1:0", "-800", "XRP", kind="plug"))
    assert planted_effects([missing], held, approved) == ({XRP: Decimal(left)} if left else {})
