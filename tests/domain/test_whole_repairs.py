"""What could be posted for an event, whole: the candidate with its adjustment, and what earlier runs say of it."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentType,
    Effect,
    Plug,
    PostFill,
    Posting,
    PostMovement,
    PostOrder,
    TakeBack,
    adjustment_id,
)
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.followed import Followed
from gal_friday.domain.records import Kind
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import ReconciliationReport, compare
from tests.domain.build import T0, D, at, balance, exchange, internal, order, position
from tests.domain.test_gate import open_on
from tests.domain.test_repair import CASH, FAULTS, FILLS, ORDERS, broken, candidates, report_of, true_side

T = AdjustmentType
ROWS = {row.movement_id: row for row in true_side().movements}
BOTH = (PostMovement(ROWS["R2"]), PostMovement(ROWS["R3"]))
LEGS = "movements:T2:USD:spot movements:T2:XRP:spot"


def effects(*told: str) -> tuple[Effect, ...]:
    """Return effects that are written as key, amount before and amount after."""
    return tuple(Effect(key, D(before), D(after)) for key, before, after in (each.split() for each in told))


def whole(
    report: ReconciliationReport,
    kind: AdjustmentType,
    keys: str,
    postings: tuple[Posting, ...],
    moved: tuple[Effect, ...],
    *,
    reason: str,
    records: Sequence[str] = (),
    **terms: Any,
) -> Candidate:
    """Return the candidate of the only event of this report; *terms* are its other fields."""
    shared: dict[str, Any] = {
        "discrepancies": tuple(sorted(one.id for one in report.discrepancies)),
        "keys": tuple(keys.split()),
        "cause": terms["cause"],
        "value": terms.get("value"),
    }
    adjustment = Adjustment(
        adjustment_id=adjustment_id("main", "kraken", postings, ""),
        account="main",
        exchange="kraken",
        type=kind,
        postings=postings,
        effects=moved,
        record_ids=tuple(records),
        reason=reason,
        reconciliation_id=report.reconciliation_id,
        book_version="7",
        policy_version="",
        at=T0,
        reverses=None,
        **shared,
    )
    plain: dict[str, Any] = {
        "bars": Bars(),
        "difference": D(0),
        "whole": None,
        "turned_down": "",
        "runs": 0,
        "flips": 0,
    }
    return Candidate(adjustment=adjustment, **(plain | shared | terms))


EXPECTED: dict[str, tuple[AdjustmentType, str, tuple[Posting, ...], tuple[Effect, ...], dict[str, Any]]] = {
    "a missed fill": (
        T.BOOK_FILL,
        f"balances:USD:spot balances:XRP:spot fills:T2 {LEGS} sources:order:O2:internal",
        (PostFill(FILLS[1]), *BOTH),
        effects("balances:USD:spot 972.43 948.40", "balances:XRP:spot 75 115"),
        {
            "event": "T2",
            "cause": "missed_fill",
            "records": ("R3", "R2"),
            "reason": "fill T2 of order O2 (buy 40 XRP/USD) never reached the book",
            "value": D("24.03"),
            "proven": True,
        },
    ),
    "a fill booked three times": (
        T.REVERSE_DUPLICATE,
        f"balances:USD:spot balances:XRP:spot fills:T2 {LEGS}",
        (TakeBack(Kind.FILLS, "T2", 2, 3),),
        effects("balances:USD:spot 900.34 948.40", "balances:XRP:spot 195 115"),
        {
            "event": "T2",
            "cause": "duplicated_fill",
            "records": ("T2",),
            "reason": "the book has fill T2 more than once",
            "value": D("48.06"),
            "proven": True,
        },
    ),
    "a fill that never happened": (
        T.REVERSE_RECORD,
        (
            "balances:USD:spot balances:XRP:spot fills:TX movements:TX:USD:spot movements:TX:XRP:spot "
            "sources:order:O1:internal"
        ),
        (TakeBack(Kind.FILLS, "TX", 1, 1),),
        effects("balances:USD:spot 898.35 948.40", "balances:XRP:spot 215 115"),
        {
            "event": "TX",
            "cause": "duplicated_fill",
            "records": ("TX",),
            "reason": "fill TX is T1 once more, under an id of its own",
            "value": D(60),
            "proven": True,
        },
    ),
    "a fill whose fee nobody told": (
        T.BOOK_MOVEMENT,
        "balances:USD:spot movements:T2:USD:spot",
        BOTH,
        effects("balances:USD:spot 948.43 948.40"),
        {
            "event": "T2",
            "cause": "unbooked_fee",
            "records": ("R3",),
            "reason": "a fee of 0.03 USD on T2 was not booked",
            "value": D("0.03"),
            "proven": True,
        },
    ),
    "a reward of another amount": (
        T.BOOK_MOVEMENT,
        "balances:USD:spot movements:L9",
        (TakeBack(Kind.MOVEMENTS, "L9", 1, 1), PostMovement(CASH[1])),
        effects("balances:USD:spot 943.90 948.40"),
        {
            "event": "L9",
            "cause": "wrong_amount",
            "records": ("L9",),
            "reason": "reward L9 was 5 USD and not 0.5 as booked: the decimal point is shifted",
            "value": D("4.5"),
            "proven": True,
        },
    ),
    "an order that ended": (
        T.CLOSE_ORDER,
        "orders:O2 sources:order:O2:internal",
        (PostOrder(ORDERS[1]),),
        (),
        {
            "event": "O2",
            "cause": "missed_fill",
            "reason": "the book has the order filled to 0, the exchange to 40 XRP/USD",
            "value": D(24),
            "proven": False,  # what the book's order says of its fills has no cause of its own
        },
    ),
    "an order that never was": (
        T.CLOSE_ORDER,
        "orders:OX",
        (PostOrder(order("OX", "rejected", updated=0)),),
        (),
        {
            "event": "OX",
            "cause": "ghost_order",
            "reason": "order OX (buy 100 XRP/USD) stands in the book as open, and the exchange does not know it",
            "value": D(60),
            "proven": True,
        },
    ),
}


@pytest.mark.parametrize("fault", EXPECTED)
def test_what_could_be_posted_for_an_event_is_told_whole(fault: str) -> None:
    book = broken(FAULTS[fault][0])
    kind, keys, postings, moved, terms = EXPECTED[fault]
    assert candidates(book) == (whole(report_of(book), kind, keys, postings, moved, **terms),)


def plugged(ours: object, theirs: object, **more: Any) -> tuple[ReconciliationReport, tuple[Candidate, ...]]:
    left, right = internal(*([ours] if ours else []), version="7"), exchange(*([theirs] if theirs else []))
    report = compare(left, right, prices={"BTC": D(2), "XRP": D("0.5")})  # type: ignore[dict-item]
    return report, candidates_of(report, left, right, more.pop("followed", {}), **more)


@pytest.mark.parametrize(
    "ours, theirs, kind, effect, value, share",
    [
        (balance("BTC", "3.5"), balance("BTC", "2.5"), T.BALANCE, "balances:BTC:spot 3.5 2.5", "2", "3.5"),
        (balance("BTC", "-3"), balance("BTC", "2"), T.BALANCE, "balances:BTC:spot -3 2", "10", "3"),
        (None, balance("BTC", "2"), T.BALANCE, "balances:BTC:spot 0 2", "4", None),
        (balance("BTC", "2"), None, T.BALANCE, "balances:BTC:spot 2 0", "4", None),
        (position("-100"), position("-60"), T.POSITION_QUANTITY, "positions:XRP/USD:net -100 -60", "20", "100"),
        (None, position("60"), T.ADD_POSITION, "positions:XRP/USD:net 0 60", "30", None),
        (position("60"), None, T.POSITION_QUANTITY, "positions:XRP/USD:net 60 0", "30", None),
    ],
)
def test_what_no_record_explains_is_left_to_a_plug_that_is_told_whole(
    ours: object, theirs: object, kind: AdjustmentType, effect: str, value: str, share: str | None
) -> None:
    report, found = plugged(ours, theirs)
    (moved,) = effects(effect)
    kinds, name, part = moved.key.split(":")
    (root,) = report.root_causes
    assert found == (
        whole(
            report,
            kind,
            moved.key,
            (Plug(Kind(kinds), name, part, moved.change),),
            (moved,),
            event=moved.key,
            cause="unexplained",
            reason=root.note or f"unexplained of {moved.key}",
            value=D(value),
            difference=moved.change,
            whole=None if share is None else D(share),
        ),
    )


def known_as(report: ReconciliationReport, *terms: dict[str, Any]) -> dict[str, Followed]:
    """Return what is known of the discrepancies of a report, in their order."""
    found = zip(report.discrepancies, terms, strict=False)
    return {one.id: replace(open_on("BTC"), id=one.id, **told) for one, told in found}


def test_what_is_known_from_earlier_runs_is_told_of_the_whole_event() -> None:
    book, theirs = broken(FAULTS["a missed fill"][0]), true_side()
    report = report_of(book)
    terms = [
        {"clean_observations": 4, "flips": 1, "opened_at": at(-9)},
        {"clean_observations": 3, "flips": 2, "opened_at": at(-7)},
        {"clean_observations": 5, "flips": 0, "opened_at": at(-8)},
    ]
    followed = known_as(report, *terms)
    (one,) = candidates_of(report, book.snapshot(), theirs, followed, policy_version="pol_1")
    assert one.adjustment is not None
    assert (one.runs, one.flips, one.adjustment.policy_version) == (3, 2, "pol_1")
    # The latest opening tells this sighting from an earlier one.
    generation = at(-7).isoformat()
    assert one.adjustment.adjustment_id == adjustment_id("main", "kraken", one.adjustment.postings, generation)


def test_a_ghost_order_ends_when_it_was_first_missed_and_not_when_a_run_looks_again() -> None:
    book = broken(FAULTS["an order that never was"][0])
    report = report_of(book)
    followed = known_as(report, {"opened_at": at(-10)})
    (one,) = candidates_of(report, book.snapshot(), true_side(), followed)
    assert one.adjustment is not None
    assert one.adjustment.postings == (PostOrder(order("OX", "rejected", updated=-10)),)


@pytest.mark.parametrize("state, clean, fault, confirmed", [
    ("suspected", None, "a missed fill", False),
    ("suspected", False, "a missed fill", False),
    ("suspected", True, "a missed fill", True),
    ("confirmed", None, "a missed fill", True),
    ("suspected", True, "an order that ended", False),
    ("confirmed", None, "an order that ended", True),
])  # fmt: skip
def test_an_event_is_confirmed_by_one_of_its_discrepancies_or_by_proof_in_a_clean_cut(
    state: str, clean: bool | None, fault: str, confirmed: bool
) -> None:
    book = broken(FAULTS[fault][0])
    report = report_of(book)
    ripe = tuple(replace(one, state=state) for one in report.source_discrepancies)
    report = replace(report, cut=replace(report.cut, clean=clean), source_discrepancies=ripe)
    (one,) = candidates_of(report, book.snapshot(), true_side(), {})
    assert one.confirmed is confirmed


def test_later_events_begin_where_the_earlier_ones_would_leave_the_book() -> None:
    book = broken(FAULTS["a missed fill"][0])
    FAULTS["a missed deposit"][0](book)
    found = [one.adjustment.effects for one in candidates(book) if one.adjustment is not None]
    assert found == [
        effects("balances:USD:spot -27.57 972.43"),
        effects("balances:USD:spot 972.43 948.40", "balances:XRP:spot 75 115"),
    ]


def test_what_has_no_cause_and_no_plug_is_told_with_all_that_is_known() -> None:
    book = broken(FAULTS["a missed fill"][0])
    report = report_of(book)
    without = replace(report, root_causes=())
    (one, *_) = candidates_of(without, book.snapshot(), true_side(), {})
    told = report.discrepancies[0]
    assert one == Candidate(
        event=told.key,
        cause="missed_fill",
        discrepancies=(told.id,),
        keys=(told.key,),
        adjustment=None,
        bars=Bars((), ("no record of the exchange repairs it",)),
        value=told.value,
    )
