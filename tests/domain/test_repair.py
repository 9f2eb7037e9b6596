"""What could be posted for an event, and that posting it makes the two sides agree."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentType,
    Plug,
    PostFill,
    PostMovement,
    PostOrder,
    TakeBack,
)
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.cause import Cause
from gal_friday.domain.finding import Key
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement, Order
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.roll_up import roll_up
from gal_friday.domain.snapshot import Coverage, NotChecked, Since, Snapshot
from gal_friday.domain.verdict import Verdict
from tests.domain.build import balance, exchange, fill, internal, movement, order, position

FILLS = (
    fill("T1", "100", "0.5", order_id="O1", fee="0.05", fee_asset="USD", minute=-90),
    fill("T2", "40", "0.6", order_id="O2", fee="0.03", fee_asset="USD", minute=-60),
    fill("T3", "25", "0.7", side="sell", order_id="O3", fee="0.02", fee_asset="USD", minute=-30),
)
ORDERS = tuple(
    order(f"O{n}", status="filled", quantity=str(done.quantity), filled=str(done.quantity), side=done.side.value)
    for n, done in enumerate(FILLS, 1)
)
CASH = (
    movement("L0", "1000", "USD", kind="deposit", minute=-120),
    movement("L9", "5", "USD", kind="reward", minute=-20),
)


class Book:
    """Entries of a trading system, to which postings can be applied."""

    def __init__(self, fills: tuple[Fill, ...], movements: tuple[Movement, ...], orders: tuple[Order, ...]) -> None:
        self.fills, self.movements, self.orders = list(fills), list(movements), list(orders)

    def snapshot(self) -> Snapshot:
        rolled = roll_up(fills=self.fills, movements=self.movements, orders=self.orders)
        rows = (*rolled.balances, *rolled.positions, *rolled.orders, *self.fills, *self.movements, *rolled.legs)
        return internal(*rows, version="7")

    def post(self, adjustment: Adjustment) -> None:
        for each in adjustment.postings:
            match each:
                case PostFill(posted):
                    self.fills.append(posted)
                case PostMovement(posted):
                    self.movements.append(posted)
                case PostOrder(posted):
                    self.orders.append(posted)
                case TakeBack(kind, name, entries, of):
                    shelf: list[Fill] | list[Movement] = self.fills if kind is Kind.FILLS else self.movements
                    named = [at for at, row in enumerate(shelf) if name == _id(row)]
                    assert len(named) == of, "the adjustment was made for another book"
                    for at in sorted(named[-entries:], reverse=True):
                        del shelf[at]
                case _:
                    raise AssertionError(each)


def _id(row: object) -> str:
    assert isinstance(row, Fill | Movement)
    return row.fill_id if isinstance(row, Fill) else row.movement_id


def true_side(fills: tuple[Fill, ...] = FILLS, cash: tuple[Movement, ...] = CASH) -> Snapshot:
    """Return the exchange, whose ledger has rows of its own for every fill."""
    legs = roll_up(fills=fills).legs
    rows = [replace(leg, movement_id=f"R{n}", kind="trade") for n, leg in enumerate(legs)]
    rolled = roll_up(fills=fills, movements=(*cash, *rows))
    return exchange(*rolled.balances, *rolled.positions, *ORDERS, *fills, *cash, *rows)


def broken(change: Callable[[Book], None]) -> Book:
    book = Book(FILLS, CASH, ORDERS)
    change(book)
    return book


def report_of(book: Book, theirs: Snapshot | None = None) -> ReconciliationReport:
    prices = {"XRP": Decimal("0.6"), "USD": Decimal(1)}
    return compare(book.snapshot(), theirs or true_side(), prices=prices)  # type: ignore[arg-type]


def candidates(book: Book, theirs: Snapshot | None = None) -> tuple[Candidate, ...]:
    return candidates_of(report_of(book, theirs), book.snapshot(), theirs or true_side(), {})


def _changed(name: str, **terms: object) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        book.fills = [replace(each, **terms) if each.fill_id == name else each for each in book.fills]

    return change


def _row_changed(name: str, **terms: object) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        book.movements = [replace(each, **terms) if each.movement_id == name else each for each in book.movements]

    return change


def _order_is(status: str, filled: str) -> Callable[[Book], None]:
    def change(book: Book) -> None:
        book.orders[1] = replace(book.orders[1], status=status, filled=Decimal(filled))

    return change


T = AdjustmentType
FAULTS: dict[str, tuple[Callable[[Book], None], AdjustmentType]] = {
    "a missed fill": (lambda book: book.fills.pop(1), T.BOOK_FILL),  # type: ignore[dict-item]
    "a fill booked twice": (lambda book: book.fills.append(FILLS[1]), T.REVERSE_DUPLICATE),
    "a fill booked three times": (lambda book: book.fills.extend([FILLS[1]] * 2), T.REVERSE_DUPLICATE),
    "a fill on the wrong side": (_changed("T2", side=FILLS[2].side), T.BOOK_FILL),
    "a fill of another size": (_changed("T2", quantity=Decimal(400)), T.BOOK_FILL),
    "a fill without its fee": (_changed("T2", fee=Decimal(0)), T.BOOK_FILL),
    "a fill whose fee nobody told": (_changed("T2", fee=None), T.BOOK_MOVEMENT),
    "a fill that never happened": (lambda book: book.fills.append(replace(FILLS[0], fill_id="TX")), T.REVERSE_RECORD),
    "a missed deposit": (lambda book: book.movements.pop(0), T.BOOK_MOVEMENT),  # type: ignore[dict-item]
    "a reward booked twice": (lambda book: book.movements.append(CASH[1]), T.REVERSE_DUPLICATE),
    "a reward of another amount": (_row_changed("L9", amount=Decimal("0.5")), T.BOOK_MOVEMENT),
    "an order that ended": (_order_is("open", "0"), T.CLOSE_ORDER),
    "an order that never was": (lambda book: book.orders.append(order("OX", filled="0")), T.CLOSE_ORDER),
}


@pytest.mark.parametrize("fault, kind", FAULTS.values(), ids=FAULTS)
def test_posting_what_the_records_say_makes_the_sides_agree(
    fault: Callable[[Book], None], kind: AdjustmentType
) -> None:
    book = broken(fault)
    (candidate,) = candidates(book)
    assert candidate.adjustment is not None
    assert candidate.adjustment.type is kind
    assert candidate.bars.lasting == ()
    before = {str(Key(Kind.BALANCES, row.asset, row.wallet)): row.total for row in book.snapshot().balances}
    book.post(candidate.adjustment)
    after = {str(Key(Kind.BALANCES, row.asset, row.wallet)): row.total for row in book.snapshot().balances}
    assert report_of(book).verdict is Verdict.RECONCILED
    changed = {key: (before.get(key, Decimal(0)), amount) for key, amount in after.items() if before.get(key) != amount}
    assert {effect.key: (effect.before, effect.after) for effect in candidate.adjustment.effects} == changed


def test_several_events_are_repaired_one_by_one() -> None:
    book = broken(FAULTS["a missed fill"][0])
    FAULTS["a missed deposit"][0](book)
    found = candidates(book)
    assert len(found) == 2
    for candidate in found:
        assert candidate.adjustment is not None
        assert candidate.proven
        book.post(candidate.adjustment)
    assert report_of(book).verdict is Verdict.RECONCILED


def test_what_the_records_prove_is_proven_beside_a_record_that_nobody_can_explain() -> None:
    book = broken(FAULTS["a missed fill"][0])
    book.movements.append(movement("LX", "50", "USD", kind="deposit", minute=-1))
    assert {one.event: (one.cause, one.proven) for one in candidates(book)} == {
        "T2": (Cause.MISSED_FILL, True),
        "LX": (Cause.UNEXPLAINED, False),
    }


@pytest.mark.parametrize("booked, proven", [("deposit", False), ("reward", True)])
def test_what_may_be_in_the_book_under_another_name_is_not_proven(booked: str, proven: bool) -> None:
    book = broken(FAULTS["a missed deposit"][0])
    book.movements.append(movement("LX", "999", "USD", kind=booked, minute=-1))
    assert {one.event: one.proven for one in candidates(book)} == {"L0": proven, "LX": False}


def test_a_book_that_keeps_the_ledgers_own_rows_is_repaired_with_them() -> None:
    theirs = true_side()
    legs = tuple(row for row in theirs.movements if row.kind in FILL_LEG_KINDS)
    book = Book(FILLS, (*CASH, *legs), ORDERS)
    book.fills = [each for each in book.fills if each.fill_id != "T2"]
    book.movements = [row for row in book.movements if row.refers_to != "T2"]
    (candidate,) = candidates(book, theirs)
    assert candidate.adjustment is not None
    book.post(candidate.adjustment)
    assert compare(book.snapshot(), theirs).verdict is Verdict.RECONCILED


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("wrong", [{"amount": Decimal("-2.4")}, {"amount": Decimal(24)}, {"fee": Decimal(7)}], ids=str)
@pytest.mark.parametrize("name", ["R3", "L9"])
def test_of_two_contents_under_one_id_both_go_and_the_exchanges_stays(
    name: str, wrong: dict[str, Decimal], first: bool
) -> None:
    theirs = true_side()
    legs = [row for row in theirs.movements if row.kind in FILL_LEG_KINDS]
    (right,) = [row for row in theirs.movements if row.movement_id == name]
    others = [row for row in (*CASH, *legs) if row is not right]
    told = [replace(right, **wrong), right]
    book = Book(FILLS, (*others, *(told if first else reversed(told))), ORDERS)
    (off,) = report_of(book, theirs).balance_discrepancies
    assert off.bridge is not None
    assert not off.bridge.residual
    assert Cause.WRONG_OPENING not in {item.cause for item in off.bridge.items}
    (candidate,) = candidates(book, theirs)
    assert candidate.adjustment is not None
    assert candidate.adjustment.postings == (TakeBack(Kind.MOVEMENTS, name, 2, 2), PostMovement(right))
    before = {str(row.asset): row.total for row in book.snapshot().balances}
    book.post(candidate.adjustment)
    after = {str(row.asset): row.total for row in book.snapshot().balances}
    assert report_of(book, theirs).verdict is Verdict.RECONCILED
    assert [effect.change for effect in candidate.adjustment.effects] == [after["USD"] - before["USD"]]


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize(
    "wrong", [{"price": Decimal("0.1")}, {"quantity": Decimal(4)}, {"side": FILLS[2].side}], ids=str
)
def test_a_margin_fill_with_two_contents_is_one_event_with_its_position(wrong: dict[str, Any], last: int) -> None:
    fills = tuple(replace(each, margin=True) for each in FILLS)
    theirs = true_side(fills)
    told = [fills[1], replace(fills[1], **wrong)]
    book = Book((fills[0], fills[2], told[1 - last], told[last]), CASH, ORDERS)
    (off,) = report_of(book, theirs).position_discrepancies
    assert off.bridge is not None
    assert not off.bridge.residual
    (candidate,) = candidates(book, theirs)
    assert candidate.adjustment is not None
    book.post(candidate.adjustment)
    assert report_of(book, theirs).verdict is Verdict.RECONCILED


@pytest.mark.parametrize("margin", [True, False], ids=["on margin", "spot"])
@pytest.mark.parametrize("wrong", ["margin", "instrument"])
def test_a_fill_booked_elsewhere_is_one_event_with_the_positions(wrong: str, margin: bool) -> None:
    fills = (FILLS[0], replace(FILLS[1], margin=margin), FILLS[2])
    other = {"margin": not margin} if wrong == "margin" else {"instrument": "XRP/EUR"}
    book = Book((fills[0], replace(fills[1], **other), fills[2]), CASH, ORDERS)
    theirs = true_side(fills)
    found = candidates(book, theirs)
    assert [(each.event, each.adjustment and each.adjustment.type) for each in found] == [("T2", T.BOOK_FILL)]
    assert found[0].adjustment is not None
    book.post(found[0].adjustment)
    assert report_of(book, theirs).verdict is Verdict.RECONCILED


def test_a_book_that_has_a_movement_with_two_contents_is_not_said_to_have_begun_wrongly() -> None:
    theirs = true_side()
    wrong = replace(CASH[1], amount=Decimal("0.5"))
    ours = Book(FILLS, (*CASH, wrong), ORDERS).snapshot()
    held = [replace(row, total=Decimal(900)) if row.asset == "USD" else row for row in ours.balances]
    ours = replace(ours, balances=tuple(held), since=Since(movements=CASH[0].at))
    (off,) = compare(ours, theirs).balance_discrepancies
    assert off.bridge is not None
    assert off.bridge.residual


def test_a_balance_that_no_record_explains_is_left_to_a_plug_of_its_difference() -> None:
    ours = internal(balance("BTC", "1.5"), version="7")
    theirs = exchange(balance("BTC", "1.25"))
    report = compare(ours, theirs)
    (candidate,) = candidates_of(report, ours, theirs, {})
    assert candidate.adjustment is not None
    assert candidate.adjustment.postings == (Plug(Kind.BALANCES, "BTC", "spot", Decimal("-0.25")),)
    assert candidate.adjustment.type is AdjustmentType.BALANCE
    assert candidate.adjustment.record_ids == ()
    assert (candidate.difference, candidate.whole, candidate.proven) == (Decimal("-0.25"), Decimal("1.5"), False)


@pytest.mark.parametrize(
    "ours, theirs, kind, whole",
    [
        ("-100", "-60", AdjustmentType.POSITION_QUANTITY, "100"),
        (None, "60", AdjustmentType.ADD_POSITION, None),
        ("60", None, AdjustmentType.POSITION_QUANTITY, None),
    ],
)
def test_a_position_that_no_fill_explains_is_left_to_a_plug(
    ours: str | None, theirs: str | None, kind: AdjustmentType, whole: str | None
) -> None:
    left = internal(*([position(ours)] if ours else []), version="7")
    right = exchange(*([position(theirs)] if theirs else []))
    (candidate,) = candidates_of(compare(left, right), left, right, {})
    assert candidate.adjustment is not None
    assert candidate.adjustment.type is kind
    assert candidate.whole == (None if whole is None else Decimal(whole))


def test_nothing_is_posted_for_a_name_that_nobody_knows() -> None:  # I15
    ours, theirs = internal(version="7"), exchange(balance("?XFOO", "5"))
    (candidate,) = candidates_of(compare(ours, theirs), ours, theirs, {})
    assert candidate.bars.lasting


def test_a_fill_of_an_order_that_still_works_waits_for_its_end() -> None:
    book = broken(FAULTS["a missed fill"][0])
    theirs = true_side()
    working = replace(ORDERS[1], status="open", quantity=Decimal(100))
    theirs = replace(theirs, orders=(ORDERS[0], working, ORDERS[2]))
    (candidate,) = candidates(book, theirs)
    assert any("O2 is still open" in reason for reason in candidate.bars.passing)


def test_a_fill_whose_fee_only_the_ledger_would_tell_waits_for_the_ledger() -> None:
    book, theirs = broken(FAULTS["a missed fill"][0]), true_side()
    gap = NotChecked(kind=Kind.MOVEMENTS, reason="a page did not come", side="exchange")
    unread = replace(
        theirs,
        fills=tuple(replace(one, fee=None) for one in theirs.fills),
        movements=(),
        coverage=replace(theirs.coverage, movements=Coverage.NONE),
        not_checked=(gap,),
    )
    waiting = [reason for one in candidates(book, unread) for reason in one.bars.passing]
    assert "not all movements were seen: a page did not come" in waiting


@pytest.mark.parametrize("filled, waits", [("40", False), ("80", True)])
def test_a_fill_booked_twice_waits_for_the_end_of_its_order_only_where_the_order_is_wrong_as_well(
    filled: str, waits: bool
) -> None:
    working = replace(ORDERS[1], status="open", quantity=Decimal(100))
    theirs = replace(true_side(), orders=(ORDERS[0], working, ORDERS[2]))
    book = broken(FAULTS["a fill booked twice"][0])
    book.orders[1] = replace(working, filled=Decimal(filled))
    (candidate,) = candidates(book, theirs)
    assert candidate.adjustment is not None
    assert candidate.adjustment.postings[0] == TakeBack(Kind.FILLS, "T2", 1, 2)
    assert any("O2 is still open" in reason for reason in candidate.bars.passing) is waits


def test_the_same_difference_is_the_same_adjustment() -> None:
    book = broken(FAULTS["a missed fill"][0])
    (first,), (second,) = candidates(book), candidates(book)
    assert first == second


ROLLED = movement("L8", "0", "USD", "rollover", "P9", "0.12", minute=-25)
BEFORE = replace(ROLLED, movement_id="L7", at=ROLLED.at - timedelta(hours=4))
PAID = movement("L5", "50", "USD", "deposit", "D7", minute=-15)


@pytest.mark.parametrize(
    "theirs, ours",
    [
        (ROLLED, replace(ROLLED, fee=Decimal("0.13"))),
        (ROLLED, replace(ROLLED, fee=Decimal("-0.12"))),
        (ROLLED, replace(ROLLED, amount=Decimal("-1.2"), fee=Decimal(0))),
        (ROLLED, replace(ROLLED, wallet=Wallet.EARN)),
        (ROLLED, replace(ROLLED, asset=Asset("EUR"))),
        (ROLLED, replace(ROLLED, asset=Asset("EUR"), wallet=Wallet.EARN, fee=Decimal("0.5"))),
        (ROLLED, replace(ROLLED, movement_id="B8", fee=Decimal("0.13"))),
        (PAID, replace(PAID, movement_id="B5", amount=Decimal(5))),
        (PAID, replace(PAID, movement_id="B5", fee=Decimal(1))),
    ],
)
def test_a_movement_booked_otherwise_is_replaced_by_the_exchanges(theirs: Movement, ours: Movement) -> None:
    real, book = true_side(cash=(*CASH, BEFORE, theirs)), Book(FILLS, (*CASH, BEFORE, ours), ORDERS)
    (candidate,) = candidates(book, real)
    assert candidate.proven
    assert candidate.bars == Bars()
    assert candidate.adjustment is not None
    assert candidate.adjustment.postings == (
        TakeBack(Kind.MOVEMENTS, ours.movement_id, 1, 1),
        PostMovement(theirs),
    )
    book.post(candidate.adjustment)
    assert report_of(book, real).verdict is Verdict.RECONCILED


def test_of_several_rows_under_ids_of_the_book_nothing_is_posted() -> None:
    booked = [replace(each, movement_id=f"B{n}") for n, each in enumerate((BEFORE, replace(ROLLED, fee=Decimal(1))))]
    (candidate,) = candidates(Book(FILLS, (*CASH, *booked), ORDERS), true_side(cash=(*CASH, BEFORE, ROLLED)))
    assert not candidate.proven
    assert candidate.bars.lasting == (
        "movements:P9:USD:spot:rollover: the book numbers these rows itself, and no record says which is which",
        "no record of the exchange repairs it",
    )
