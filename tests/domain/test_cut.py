"""What is in motion between the two readings, and that nothing else is."""

import pytest

from gal_friday.domain.cut import Motion, cut_of, in_motion
from tests.domain.build import T0, at, exchange, fill, internal, movement, order

NOTHING = Motion(frozenset(), frozenset(), frozenset())


def touched(*rows: object) -> tuple[set[str], set[str], set[str]]:
    motion = in_motion(internal(*rows), exchange())
    other = in_motion(internal(), exchange(*rows))
    assert motion == other, "either side may be the one that is ahead"
    return set(motion.assets), set(motion.instruments), set(motion.held)


def test_a_late_fill_touches_both_assets_its_fee_and_its_instrument() -> None:
    late = fill(minute=0.001, fee="1", fee_asset="KFEE")
    assets = {"XRP", "USD", "KFEE"}
    assert touched(late) == (assets, {"XRP/USD"}, assets)


def test_a_late_movement_touches_its_asset() -> None:
    assert touched(movement(minute=0.001)) == ({"XRP"}, set(), {"XRP"})


def test_a_late_order_touches_holds_and_totals_only_if_it_filled() -> None:
    assert touched(order(updated=0.001)) == (set(), set(), {"XRP", "USD"})
    assert touched(order(updated=0.001, filled="1")) == ({"XRP", "USD"}, {"XRP/USD"}, {"XRP", "USD"})
    assert touched(order(updated=None, opened=0.001)) == (set(), set(), {"XRP", "USD"})


@pytest.mark.parametrize("row", [fill(minute=0), movement(minute=0), order(updated=0), order(updated=None)])
def test_what_happened_by_the_instant_of_the_reading_is_in_it(row: object) -> None:
    assert in_motion(internal(row), exchange(row)) == NOTHING


def test_an_instrument_nobody_can_resolve_touches_no_asset_by_guess() -> None:  # I15
    assert touched(fill(minute=1, instrument="?XFOOZUSD")) == (set(), {"?XFOOZUSD"}, set())


def test_each_side_is_judged_by_the_reading_of_the_other() -> None:
    later = exchange(fill(minute=5), as_of=at(10))
    assert in_motion(internal(as_of=at(4)), later).assets == {"XRP", "USD"}
    assert in_motion(internal(as_of=at(5)), later) == NOTHING


def test_the_cut_is_the_instants_of_both_readings() -> None:
    cut = cut_of(internal(), exchange(as_of=at(1)))
    assert (cut.internal, cut.exchange) == (T0, at(1))
