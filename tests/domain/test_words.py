"""What a report says to people, word for word: each type of discrepancy, each place, each verdict."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain import words
from gal_friday.domain.adjustment import Plug, PostFill, Posting, PostMovement, TakeBack, TakeBackAdjustment
from gal_friday.domain.assets import Wallet
from gal_friday.domain.discrepancy import BalanceDiscrepancy, PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.materiality import Severity
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from tests.domain.build import T0, D, balance, exchange, fill, internal, movement

Type = DiscrepancyType


def record(**more: Any) -> RecordDiscrepancy:
    """Return a fill whose price differs, changed."""
    fields: dict[str, Any] = {
        "id": "dis_1", "key": "fills:T1", "record_id": "T1", "about": "XRP/USD", "type": Type.FILL_MISMATCH,
        "field": "price", "severity": Severity.LOW,
    }  # fmt: skip
    return RecordDiscrepancy(**(fields | more))


def amount(**more: Any) -> BalanceDiscrepancy:
    """Return a balance that differs, changed."""
    fields: dict[str, Any] = {
        "id": "dis_2", "key": "balances:BTC:spot", "currency": "BTC", "wallet": "spot",
        "type": Type.BALANCE_MISMATCH, "internal": D("1"), "exchange": D("2"), "difference": D("1"),
        "severity": Severity.HIGH,
    }  # fmt: skip
    return BalanceDiscrepancy(**(fields | more))


def held(**more: Any) -> PositionDiscrepancy:
    """Return a position of another size, changed."""
    fields: dict[str, Any] = {
        "id": "dis_3", "key": "positions:XRP/USD:net", "trading_pair": "XRP/USD", "mode": "net",
        "type": Type.QUANTITY_MISMATCH, "internal": D("1"), "exchange": D("2"), "difference": D("1"),
        "severity": Severity.MEDIUM,
    }  # fmt: skip
    return PositionDiscrepancy(**(fields | more))


WHAT = {
    Type.POSITION_MISSING_INTERNAL: "position missing from the book",
    Type.POSITION_MISSING_EXCHANGE: "position only in the book",
    Type.QUANTITY_MISMATCH: "position of another size",
    Type.SIDE_MISMATCH: "position on the wrong side",
    Type.COST_BASIS_MISMATCH: "average price differs",
    Type.BALANCE_MISMATCH: "balance differs",
    Type.HOLD_MISMATCH: "reserved amount differs",
    Type.ORDER_NOT_TRACKED: "order unknown to the book",
    Type.ORDER_MISSING_EXCHANGE: "order unknown to exchange",
    Type.ORDER_STATE_MISMATCH: "order: opened at differs",
    Type.ORDER_TERMS_MISMATCH: "order: opened at differs",
    Type.FILL_MISSING_INTERNAL: "fill never reached the book",
    Type.FILL_MISSING_EXCHANGE: "fill unknown to exchange",
    Type.FILL_MISMATCH: "fill: opened at differs",
    Type.FILL_DUPLICATED: "fill booked twice",
    Type.MOVEMENT_MISSING_INTERNAL: "movement never booked",
    Type.MOVEMENT_MISSING_EXCHANGE: "movement unknown to exchange",
    Type.MOVEMENT_MISMATCH: "movement: opened at differs",
    Type.MOVEMENT_DUPLICATED: "movement booked twice",
    Type.ORDER_DUPLICATED: "order booked twice",
    Type.BALANCE_DUPLICATED: "balance listed twice",
    Type.POSITION_DUPLICATED: "position listed twice",
    Type.UNRESOLVED_NAME: "name that nobody knows",
    Type.ORDER_FILLS_MISMATCH: "fills do not add up",
    Type.POSITION_FILLS_MISMATCH: "fills do not add up",
    Type.IDENTITY_CONFLICT: "one id, two contents",
    Type.SOURCE_INCONSISTENT: "records contradict each other",
    Type.LEDGER_GAP: "ledger rows are missing",
}
SORTS = {
    Type.ORDER_STATE_MISMATCH: "order: status or filled quantity differs",
    Type.ORDER_TERMS_MISMATCH: "order: terms differ",
    Type.FILL_MISMATCH: "fill: terms or fee differ",
    Type.MOVEMENT_MISMATCH: "movement: amount or place differs",
    Type.ORDER_FILLS_MISMATCH: "fills of an order do not add up",
    Type.POSITION_FILLS_MISMATCH: "fills of a position do not add up",
}


def test_every_type_has_its_words_alone_and_as_one_of_its_sort() -> None:
    assert {kind: words.what(record(type=kind, field="opened_at")) for kind in Type} == WHAT
    assert {kind: words.sort_of(kind) for kind in Type} == WHAT | SORTS


@pytest.mark.parametrize(
    "one, said",
    [
        (record(field="filled"), "fill: filled quantity differs"),
        (record(field="order_id"), "fill: order id differs"),
        (record(side="internal"), "fill: price differs (book)"),
        (record(side="exchange"), "fill: price differs (exchange)"),
        (amount(), "balance differs"),
        (held(), "position of another size"),
    ],
)
def test_what_differs_names_the_field_and_the_side_where_it_is_one(one: Any, said: str) -> None:
    assert words.what(one) == said


OWN = record(key="sources:order:O1:exchange", record_id="order:O1", about="XRP/USD")


@pytest.mark.parametrize(
    "one, where, within, unit",
    [
        (amount(), "BTC spot", "BTC spot", "BTC"),
        (amount(wallet="in_transit"), "BTC in transit", "BTC in transit", "BTC"),
        (amount(wallet=""), "BTC", "BTC", "BTC"),
        (held(), "XRP/USD", "XRP/USD", "XRP"),
        (held(mode=""), "XRP/USD", "XRP/USD", "XRP"),
        (held(mode="short"), "XRP/USD short", "XRP/USD short", "XRP"),
        (held(type=Type.COST_BASIS_MISMATCH), "XRP/USD", "XRP/USD", ""),
        (held(trading_pair="?X"), "?X", "?X", ""),
        (record(field="quantity", about="?X"), "?X T1", "?X", ""),
        (record(), "XRP/USD T1", "XRP/USD", ""),
        (record(field="quantity"), "XRP/USD T1", "XRP/USD", "XRP"),
        (record(field="filled"), "XRP/USD T1", "XRP/USD", "XRP"),
        (record(field="quantity", key="movements:T1", about="?X"), "?X T1", "?X", "?X"),
        (record(field="amount", key="movements:T1", about="USD"), "USD T1", "USD", "USD"),
        (record(field="wallet", key="movements:T1", about="USD"), "USD T1", "USD", ""),
        (record(about=""), "T1", "T1", ""),
        (record(about="T1"), "T1", "T1", ""),
        (OWN, "XRP/USD O1", "XRP/USD", ""),
    ],
)
def test_a_place_is_told_whole_and_its_amounts_in_what_they_are_counted_in(
    one: Any, where: str, within: str, unit: str
) -> None:
    assert (words.where(one), words.where_within(one), words.unit(one)) == (where, within, unit)


@pytest.mark.parametrize(
    "posting, said",
    [
        (PostFill(fill("T1", "40.0", "0.60", "sell")), "books the fill T1: sell 40 XRP/USD at 0.6"),
        (
            PostMovement(movement("L1", "40.0", kind="deposit", fee="0.50", wallet=Wallet.EARN)),
            "books the deposit L1: +40 XRP in earn, fee 0.5",
        ),
        (PostMovement(movement("L1", "-40", kind="fee")), "books the fee L1: -40 XRP in spot"),
        (PostMovement(movement("L1", "0", kind="fee")), "books the fee L1: 0 XRP in spot"),
        (TakeBack(Kind.FILLS, "T1", 1, 2), "takes 1 of 2 entries back: fill T1"),
        (TakeBack(Kind.MOVEMENTS, "L1", 1, 1), "takes 1 of 1 entry back: movement L1"),
        (Plug(Kind.BALANCES, "BTC", "spot", D("0.10")), "forces +0.1 BTC into balances (spot), against suspense"),
        (
            Plug(Kind.POSITIONS, "XRP/USD", "net", D("-5"), D("0.60")),
            "forces -5 XRP/USD at 0.6 into positions (net), against suspense",
        ),
        (Plug(Kind.POSITIONS, "X/Y", "net", D("5"), D(0)), "forces +5 X/Y at 0 into positions (net), against suspense"),
        (TakeBackAdjustment("adj_1"), "takes back whatever of adj_1 still stands"),
    ],
)
def test_what_is_posted_is_said_as_a_sentence_without_an_end(posting: Posting, said: str) -> None:
    assert words.posted(posting) == said


SAME = compare(internal(balance("BTC", "1")), exchange(balance("BTC", "1")))
NONE = dict.fromkeys((f"{kind}_checked" for kind in RECORD_KINDS), 0)
FAILED = ReconciliationStatus.FAILED
ONE = replace(SAME, total_discrepancies=1, balance_discrepancies=(amount(),))
TWO = replace(ONE, total_discrepancies=2, fill_discrepancies=(record(severity=Severity.CRITICAL),))


@pytest.mark.parametrize(
    "report, said",
    [
        (SAME, "RECONCILED"),
        (replace(ONE, verdict=Verdict.DISCREPANCIES), "1 DISCREPANCY, worst high"),
        (replace(TWO, verdict=Verdict.DISCREPANCIES), "2 DISCREPANCIES, worst critical"),
        (replace(SAME, verdict=Verdict.PENDING), "PENDING: something is in motion"),
        (replace(SAME, verdict=Verdict.INCOMPLETE), "INCOMPLETE: not all was checked"),
        (
            replace(ONE, verdict=Verdict.INCOMPLETE),
            "INCOMPLETE: not all was checked; 1 discrepancy, worst high",
        ),
        (replace(SAME, status=FAILED, **NONE), "FAILED: nothing could be compared"),
        (replace(SAME, status=FAILED), "FAILED: not recorded; 0 discrepancies"),
        (replace(ONE, status=FAILED), "FAILED: not recorded; 1 discrepancy"),
    ],
)
def test_a_verdict_is_said_with_the_worst_of_what_was_found(report: ReconciliationReport, said: str) -> None:
    assert words.headline(report) == said


def test_the_worst_is_low_where_nothing_differs() -> None:
    assert [words.worst(report) for report in (SAME, ONE, TWO)] == ["low", "high", "critical"]
    assert [words.failed(report) for report in (SAME, replace(SAME, status=FAILED))] == [False, True]


def test_what_was_checked_is_counted_kind_by_kind() -> None:
    many = replace(
        SAME, balances_checked=2, positions_checked=1, orders_checked=1, fills_checked=1, movements_checked=1
    )
    assert words.counts(many) == "2 balances, 1 position, 1 order, 1 fill, 1 movement"
    assert words.counts(SAME) == "1 balance"
    assert words.counts(replace(SAME, **NONE)) == "nothing"
    assert words.checked(
        replace(SAME, orders_checked=3, fills_checked=4, movements_checked=5, positions_checked=6)
    ) == (
        *(("balances", 1), ("positions", 6)),
        *(("orders", 3), ("fills", 4), ("movements", 5)),
    )
    assert [words.any_checked(report) for report in (SAME, replace(SAME, **NONE))] == [True, False]


EAST = timezone(timedelta(hours=14))


@pytest.mark.parametrize(
    "at, age, said",
    [
        (T0, 12 * 3600, "00:00"),
        (T0, 12 * 3600 + 1, "2026-01-30 23:59"),
        (T0, 0, "12:00"),
        # On the clock of that zone it is the next day already: what is told is UTC.
        (T0.astimezone(EAST), 12 * 3600, "00:00"),
        (T0.astimezone(EAST), 12 * 3600 + 1, "2026-01-30 23:59"),
    ],
)
def test_when_something_began_is_told_in_utc_with_its_day_where_it_is_another(
    at: datetime, age: int, said: str
) -> None:
    assert words.since(at, age) == said


@pytest.mark.parametrize(
    "duration, said",
    [(0, "0.00 s"), (59.99, "59.99 s"), (60, "1 min 0 s"), (119.9, "1 min 59 s"), (3600.0, "60 min 0 s")],
)
def test_a_duration_is_told_in_minutes_from_one_on(duration: float, said: str) -> None:
    assert words.seconds(duration) == said


@pytest.mark.parametrize("count, said", [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_only_one_is_one(count: int, said: str) -> None:
    assert words.counted(count, "row", "rows") == said


def test_amounts_of_a_plug_keep_every_digit_that_says_something() -> None:
    plug = Plug(Kind.BALANCES, "BTC", "spot", Decimal("1E-8"))
    assert words.posted(plug) == "forces +0.00000001 BTC into balances (spot), against suspense"
