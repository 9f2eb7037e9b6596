"""Every tiny world there is, judged by the product and by a second opinion that shares nothing with it."""

from itertools import combinations_with_replacement

import pytest

from tests.oracle.judging import disagreements
from tests.oracle.worlds import CASH, FAULTS, KINDS, MARGIN, TRADE_FAULTS, TRADES, UNIT, Told, units_of, world, written

EVENTS = [
    *((what, fault) for what in CASH for fault in FAULTS),
    *((what, fault) for what in (*TRADES, *MARGIN) for fault in TRADE_FAULTS),
    *(("order", fault) for fault in FAULTS),
]
SIZES = (UNIT, 3 * UNIT + 14_159_265)
"""Of the first event and of the second: once alike, once not."""


@pytest.mark.parametrize("what, fault", EVENTS)
def test_one_event(what: str, fault: str) -> None:
    for size in (1, 2, UNIT, SIZES[1]):
        for events in ([Told(what, fault, size)], [Told("deposit"), Told(what, fault, size, minutes=30)]):
            assert disagreements(*world(events)) == []


@pytest.mark.parametrize("size, asset", [(SIZES[0], "XRP"), (SIZES[1], "XRP"), (SIZES[1], "ETH")])
def test_two_events(size: int, asset: str) -> None:
    for first, second in combinations_with_replacement(EVENTS, 2):
        events = [Told(*first, SIZES[0], minutes=60), Told(*second, size, asset, minutes=30)]
        assert disagreements(*world(events)) == []


BOUNDED = [
    ("balances", "total"), ("movements", "amount"), ("movements", "fee"), ("fills", "quantity"), ("fills", "price"),
    ("fills", "fee"), ("orders", "quantity"), ("orders", "filled"), ("orders", "price"),
]  # fmt: skip


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("kind, field", BOUNDED)
def test_one_amount_a_little_off(kind: str, field: str, side: int) -> None:
    for units in (-2, -1, 1, 2):
        for number in range(2):
            sides = world([Told("purchase", minutes=60), Told("deposit", minutes=30)])
            row = sides[side][kind][-number]
            row[field] = written(units_of(row[field]) + units)
            assert disagreements(*sides, explained=False) == []


COVERED = ("total", "partial", "none")


@pytest.mark.parametrize("fault", TRADE_FAULTS)
def test_every_way_of_not_seeing_everything(fault: str) -> None:
    for kind in KINDS:
        for ours in COVERED:
            for theirs in COVERED:
                book, exchange = world([Told("purchase", fault), Told("deposit", "missing", minutes=30)])
                book["coverage"][kind], exchange["coverage"][kind] = ours, theirs
                assert disagreements(book, exchange, explained=False) == []
