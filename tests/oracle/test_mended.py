"""What runs make of a book, judged by a second opinion on what it must be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.mended import wrong_in
from tests.oracle.repairing import repaired
from tests.oracle.test_small_worlds import days
from tests.oracle.worlds import CASH, FAULTS, MARGIN, TRADE_FAULTS, TRADES, UNIT, Told, world

EVENTS = [
    *((what, fault) for what in CASH for fault in FAULTS),
    *((what, fault) for what in (*TRADES, *MARGIN) for fault in TRADE_FAULTS),
    *(("order", fault) for fault in FAULTS),
]
MANY = settings().max_examples
WORTH = (UNIT, 3 * UNIT + 14_159_265)


@pytest.mark.parametrize("what, fault", EVENTS)
def test_one_event_is_put_right_as_far_as_records_prove_it(what: str, fault: str) -> None:
    for size in WORTH:
        sides = world([Told("deposit"), Told(what, fault, size, minutes=30)])
        assert [*wrong_in(repaired(*sides), *sides)] == []


@settings(max_examples=MANY // 3)
@given(day=days)
def test_a_day_is_put_right_as_far_as_records_prove_it(day: list[Told]) -> None:
    sides = world(day)
    assert [*wrong_in(repaired(*sides), *sides)] == []


@settings(max_examples=MANY // 4)
@given(day=days, off=st.dictionaries(st.sampled_from(["XRP", "ETH"]), st.sampled_from([UNIT // 3, 20 * UNIT, -7])))
def test_what_no_record_explains_is_forced_where_it_is_small(day: list[Told], off: dict[str, int]) -> None:
    sides = world([one for one in day if one.fault != "made_up"], off=off)
    assert [*wrong_in(repaired(*sides), *sides)] == []
