"""Random small worlds, judged by the product and by a second opinion that shares nothing with it."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.judging import disagreements
from tests.oracle.worlds import (
    CASH,
    FAULTS,
    KINDS,
    MARGIN,
    TRADE_FAULTS,
    TRADES,
    UNIT,
    Side,
    Told,
    instant,
    keeps_running_balances,
    world,
    written,
)

sizes = st.sampled_from([1, 2, 3, UNIT // 10, UNIT, 2 * UNIT, 3 * UNIT + 14_159_265]) | st.integers(1, 50 * UNIT)
assets = st.sampled_from(["XRP", "ETH"])
minutes = st.integers(1, 600)
events = st.one_of(
    st.builds(Told, st.sampled_from(CASH), st.sampled_from(FAULTS), sizes, assets, minutes),
    st.builds(Told, st.sampled_from((*TRADES, *MARGIN)), st.sampled_from(TRADE_FAULTS), sizes, assets, minutes),
    st.builds(Told, st.just("order"), st.sampled_from(FAULTS), sizes, assets, minutes),
)
days = st.lists(events, max_size=5)
offs = st.dictionaries(assets, st.sampled_from([-UNIT, -2, -1, 0, 1, 2, UNIT // 3]), max_size=2)


@given(day=days)
def test_what_only_records_differ_by(day: list[Told]) -> None:
    assert disagreements(*world(day)) == []


@given(day=days, off=offs)
def test_what_no_record_explains(day: list[Told], off: dict[str, int]) -> None:
    assert disagreements(*world(day, off=off)) == []


coverages = st.fixed_dictionaries({kind: st.sampled_from(["total", "total", "partial", "none"]) for kind in KINDS})


@given(day=days, off=offs, ours=coverages, theirs=coverages)
def test_what_was_not_seen_in_full(day: list[Told], off: dict[str, int], ours: Any, theirs: Any) -> None:
    book, exchange = world(day, off=off)
    book["coverage"], exchange["coverage"] = ours, theirs
    assert disagreements(book, exchange, explained=False) == []


@given(day=days, ours=st.integers(0, 90), theirs=st.integers(0, 90), begins=st.integers(100, 600))
def test_what_was_read_at_two_instants_and_from_two_on(day: list[Told], ours: int, theirs: int, begins: int) -> None:
    book, exchange = world(day)
    book["as_of"], exchange["as_of"] = instant(ours), instant(theirs)
    book["since"] = dict.fromkeys(book["since"], instant(begins))
    assert disagreements(book, exchange, explained=False) == []


@settings(max_examples=60)
@given(day=days, data=st.data())
def test_what_is_listed_otherwise(day: list[Told], data: Any) -> None:
    """Let any list of any side lose rows, gain copies, and be in another order."""
    book, exchange = world(day)
    for side in (book, exchange):
        for kind in ("balances", "fills", "movements"):
            side[kind] = _mixed(side, kind, data)
    assert disagreements(book, exchange, explained=False) == []


def _mixed(side: Side, kind: str, data: Any) -> list[Any]:
    rows: list[Any] = side[kind]
    if not rows:
        return rows
    drawn = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=len(rows) + 2))
    return [dict(rows[number]) for number in drawn]


quantities = st.sampled_from([-2 * UNIT, -UNIT, -1, 0, 1, UNIT, UNIT + 1, UNIT + 2, 2 * UNIT])
prices = st.none() | st.sampled_from([UNIT, 2 * UNIT]).map(written)


@given(data=st.data())
def test_positions_holds_and_rounding(data: Any) -> None:
    book, exchange = world([Told("deposit")])
    for side in (book, exchange):
        mode = data.draw(st.sampled_from(["net", "lot"]))
        for number, size in enumerate(data.draw(st.lists(quantities, max_size=1 if mode == "net" else 3))):
            row = {"instrument": "ETH/USD", "mode": mode, "quantity": written(size), "average_price": data.draw(prices)}
            side["positions"].append(row | ({"position_id": f"P{number}"} if mode == "lot" else {}))
        for row in side["balances"]:
            row["held"] = data.draw(st.none() | quantities.filter(lambda size: size >= 0).map(written))
            row["total"] = written(1_000 * UNIT + data.draw(st.integers(-300, 300)))
        book["balances"][0]["rounded_records"] = data.draw(st.integers(0, 4))
        exchange["scales"] = {"assets": {"USD": data.draw(st.integers(6, 8))}}
    assert disagreements(book, exchange, explained=False) == []


few = st.sampled_from([0, 1, UNIT, UNIT + 1, UNIT + 2, 2 * UNIT]).map(written)
loose_balances = st.fixed_dictionaries(
    {"asset": assets, "wallet": st.sampled_from(["spot", "earn"]), "total": few | few.map(lambda text: f"-{text}")}
)
loose_fills = st.fixed_dictionaries(
    {
        "fill_id": st.sampled_from("AB"), "order_id": st.none() | st.sampled_from(["O1", "O2"]),
        "instrument": st.sampled_from(["ETH/USD", "XRP/USD"]), "side": st.sampled_from(["buy", "sell"]),
        "quantity": few, "price": few.filter(lambda text: Fraction(text) > 1), "fee": st.none() | few,
        "fee_asset": st.none() | st.sampled_from(["USD", "ETH"]), "at": st.just(instant(60)),
        "margin": st.booleans(),
    }
)  # fmt: skip


@given(data=st.data())
def test_rows_that_collide_repeat_and_contradict_each_other(data: Any) -> None:
    book, exchange = world([])
    for kind, rows in (("balances", loose_balances), ("fills", loose_fills)):
        book[kind] = data.draw(st.lists(rows, max_size=4))
        exchange[kind] = data.draw(st.lists(rows, max_size=4)) + book[kind][: data.draw(st.integers(0, 2))]
    assert disagreements(book, exchange, explained=False) == []


@given(day=st.lists(events, max_size=4), off=offs, data=st.data())
def test_ledgers_that_tell_what_was_there_after_every_row(day: list[Told], off: dict[str, int], data: Any) -> None:
    book, exchange = world(day, off=off)
    keeps_running_balances(exchange)
    rows = exchange["movements"]
    kept = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=max(0, len(rows) - 2)) if rows else st.just(set()))
    exchange["movements"] = [row for number, row in enumerate(rows) if number in kept]
    exchange["coverage"]["movements"] = data.draw(st.sampled_from(["total", "total", "partial"]))
    assert disagreements(book, exchange, explained=False) == []
