"""Every sentence that stands against posting anything for an event, whole, and what a person decided against."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import By, Kept, first
from gal_friday.domain.adjustment import (
    AdjustmentState,
    AdjustmentType,
    Effect,
    PostFill,
    Posting,
    PostMovement,
    PostOrder,
    TakeBack,
)
from gal_friday.domain.bar import bars_of, unless_turned_down
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.case import Case
from gal_friday.domain.finding import (
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Pending,
    TextMismatch,
)
from gal_friday.domain.records import Kind
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import NotChecked, Side
from tests.domain.build import T0, D, exchange, fill, internal, movement, order
from tests.domain.test_decision import made, proven
from tests.domain.test_whole_repairs import effects

T = AdjustmentType
TX, O1, XRP = Key(Kind.FILLS, "TX"), Key(Kind.ORDERS, "OX"), Key(Kind.BALANCES, "XRP", "spot")
EMPTY = compare(internal(), exchange())


def barred(
    *findings: Finding,
    keys: Sequence[Key] = (TX,),
    places: Sequence[str] = (),
    ours: Sequence[object] = (),
    theirs: Sequence[object] = (),
    gaps: Sequence[NotChecked] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    case = Case(internal(*ours), exchange(*theirs), findings)
    told = bars_of(replace(EMPTY, not_checked=tuple(gaps)), case, keys, places)
    return told.passing, told.lasting


def unknown(key: Key) -> Finding:
    return Differs(key, (TextMismatch(DiscrepancyType.UNRESOLVED_NAME, "asset", "?X", "?X"),))


def contradicted(type_: str, side: Side = "exchange") -> Finding:
    return Differs(TX, (Inconsistent(DiscrepancyType(type_), side, "total", "1", "2"),))


MISSING = ExchangeOnly(TX, DiscrepancyType.FILL_MISSING_INTERNAL, D(1))
NAMELESS = "fills:TX: nobody knows this name; name it first, or wait for the exchange's tables"
AGAINST = "fills:TX: the exchange's own records contradict each other"


@pytest.mark.parametrize(
    "finding, lasting",
    [
        (MISSING, ()),
        (unknown(TX), (NAMELESS,)),
        (ExchangeOnly(TX, DiscrepancyType.UNRESOLVED_NAME, D(1)), (NAMELESS,)),
        (InternalOnly(TX, DiscrepancyType.UNRESOLVED_NAME, D(1)), (NAMELESS,)),
        (
            replace(MISSING, repeats=(Inconsistent(DiscrepancyType.UNRESOLVED_NAME, "exchange", "asset", "1", "2"),)),
            (NAMELESS,),
        ),
        (contradicted("identity_conflict"), (AGAINST,)),
        (contradicted("source_inconsistent"), (AGAINST,)),
        (contradicted("ledger_gap"), (AGAINST,)),
        (contradicted("identity_conflict", "internal"), ()),
        (contradicted("fill_duplicated"), ()),
        (Pending(TX, "moving"), ()),
    ],
)
def test_a_name_that_nobody_knows_and_records_that_contradict_each_other_need_a_person(
    finding: Finding, lasting: tuple[str, ...]
) -> None:  # I15
    assert barred(finding)[1] == lasting


def test_what_needs_a_person_is_told_once_of_each_key() -> None:
    other = replace(unknown(XRP), key=XRP)
    told = NAMELESS.replace("fills:TX", "balances:XRP:spot")
    assert barred(unknown(TX), other, keys=(XRP, TX, TX))[1] == (told, NAMELESS)


@pytest.mark.parametrize(
    "finding, places, passing",
    [
        (Pending(XRP, "a fill came"), ["balances:XRP:spot"], ("balances:XRP:spot is in motion: a fill came",)),
        (CannotTell(XRP, "not read"), ["balances:XRP:spot"], ("balances:XRP:spot cannot be told: not read",)),
        (Pending(XRP, "a fill came"), ["balances:USD:spot"], ()),
        (Pending(Key(Kind.MOVEMENTS, "TX"), "late"), [], ("movements:TX is in motion: late",)),
        (Pending(Key(Kind.HOLDS, "TX"), "late"), [], ()),
        (Pending(Key(Kind.HOLDS, "TX"), "late"), ["holds:TX"], ("holds:TX is in motion: late",)),
        (unknown(XRP), ["balances:XRP:spot"], ()),
    ],
)
def test_what_is_in_motion_is_waited_for_where_it_would_be_touched(
    finding: Finding, places: list[str], passing: tuple[str, ...]
) -> None:
    assert barred(MISSING, finding, places=places) == (passing, ())


@pytest.mark.parametrize("status, waits", [("open", True), ("pending", True), ("filled", False), ("canceled", False)])
def test_fills_of_an_order_that_may_still_fill_wait_for_its_end(status: str, waits: bool) -> None:
    told = (f"order OX is still {status}: its fills are booked when it has ended",) if waits else ()
    theirs = [fill(), order("OX", status)]
    assert barred(MISSING, theirs=theirs) == (told, ())
    assert barred(MISSING, ours=[fill()], theirs=theirs[1:]) == (told, ())
    assert barred(MISSING, theirs=[fill(order_id=None), theirs[1]]) == ((), ())
    assert barred(MISSING, theirs=[fill(order_id="O9"), theirs[1]]) == ((), ())
    assert barred(MISSING, theirs=[fill("T9"), theirs[1]]) == ((), ())


@pytest.mark.parametrize("kinds, waits", [([TX], False), ([TX, O1], True)])
def test_what_the_book_has_once_too_often_waits_for_no_order_unless_the_order_is_wrong_as_well(
    kinds: list[Key], waits: bool
) -> None:
    doubled = contradicted("fill_duplicated", "internal")
    wrong = Differs(O1, (TextMismatch(DiscrepancyType.ORDER_STATE_MISMATCH, "status", "open", "pending"),))
    passing, _ = barred(doubled, wrong, keys=kinds, theirs=[fill(), order("OX")])
    assert bool(passing) is waits


def gap(kind: Kind, side: Side | None = "exchange") -> NotChecked:
    return NotChecked(kind=kind, reason="no answer", side=side)


@pytest.mark.parametrize(
    "keys, theirs, gaps, passing",
    [
        ([TX], [fill(fee="1")], [gap(Kind.FILLS)], ("not all fills were seen: no answer",)),
        ([TX], [fill(fee="1")], [gap(Kind.BALANCES)], ("not all balances were seen: no answer",)),
        ([TX], [fill(fee="1")], [gap(Kind.FILLS, "internal")], ("not all fills were seen: no answer",)),
        ([TX], [fill(fee="1")], [gap(Kind.FILLS, None)], ()),
        ([TX], [fill(fee="1")], [gap(Kind.ORDERS), gap(Kind.MOVEMENTS)], ()),
        ([TX], [fill()], [gap(Kind.MOVEMENTS)], ("not all movements were seen: no answer",)),
        ([TX], [fill("T9")], [gap(Kind.MOVEMENTS)], ()),
        ([O1], [fill("OX")], [gap(Kind.MOVEMENTS), gap(Kind.FILLS)], ()),
    ],
)
def test_a_source_that_was_not_seen_in_full_proves_nothing_about_what_would_be_touched(
    keys: list[Key], theirs: list[object], gaps: list[NotChecked], passing: tuple[str, ...]
) -> None:
    missing = [MISSING, ExchangeOnly(O1, DiscrepancyType.ORDER_NOT_TRACKED, D(1))]
    assert barred(*missing, keys=keys, theirs=theirs, gaps=gaps) == (passing, ())


# --- what a person decided against ------------------------------------------------------------------------------


def decided_against(name: str, state: str, *postings: Posting, moved: tuple[Effect, ...] = ()) -> Kept:
    adjustment = replace(made(T.BOOK_FILL), adjustment_id=name, postings=postings, effects=moved)
    kept = first(adjustment, AdjustmentState.PROPOSED, By("ann"), T0 - timedelta(hours=1))
    return replace(kept, state=AdjustmentState(state))


def of(kind: AdjustmentType, *postings: Posting, moved: tuple[Effect, ...] = ()) -> Candidate:
    adjustment = replace(made(kind), adjustment_id="adj_new", postings=postings, effects=moved)
    return proven(adjustment=adjustment)


def test_the_very_repair_that_a_person_decided_against_goes_to_a_person_with_what_became_of_it() -> None:
    one = replace(of(T.BOOK_FILL, PostFill(fill())), bars=Bars(("moving",), ("unknown",)))
    against = decided_against("adj_new", "rejected", PostFill(fill()))
    told = "adj_new, its repair, is rejected already: a person decided against it"
    (after,) = unless_turned_down([one], [against])
    assert after == replace(one, bars=Bars(("moving",), ("unknown", told)))


PLUS, MINUS = effects("balances:XRP:spot 0 5"), effects("balances:XRP:spot 9 4")


@pytest.mark.parametrize(
    "candidate, against, same",
    [
        (of(T.BOOK_FILL, PostFill(fill("T1"))), [PostFill(fill("T1", "1"))], True),
        (of(T.BOOK_FILL, PostFill(fill("T1"))), [PostFill(fill("T2"))], False),
        (of(T.BOOK_FILL, PostFill(fill("T1"))), [PostMovement(movement("T1"))], False),
        (of(T.BOOK_FILL, PostMovement(movement("L1")), PostFill(fill("T1"))), [PostFill(fill("T1"))], True),
        (of(T.CLOSE_ORDER, PostOrder(order("O1"))), [PostOrder(order("O1"))], True),
        (of(T.CLOSE_ORDER, PostOrder(order("O1"))), [PostOrder(order("O1", "canceled"))], False),
        (of(T.REVERSE_RECORD, TakeBack(Kind.FILLS, "T1", 1, 1)), [TakeBack(Kind.FILLS, "T1", 2, 2)], True),
        (of(T.BALANCE, moved=PLUS), [], True),
        (of(T.BALANCE, moved=MINUS), [], False),
        (of(T.BOOK_FILL, moved=PLUS), [], False),
        (proven(adjustment=None), [PostFill(fill("T1"))], False),
    ],
)
def test_the_same_records_or_the_same_amount_once_more_are_asked_about_again(
    candidate: Candidate, against: list[Posting], same: bool
) -> None:
    others = decided_against("adj_8", "reversed", PostFill(fill("T0")))
    before = decided_against("adj_9", "reversed", *against, moved=PLUS)
    expected = replace(candidate, turned_down="adj_9" if same else "")
    assert list(unless_turned_down([candidate, candidate], [others, before])) == [expected, expected]
    assert list(unless_turned_down([candidate], [])) == [candidate]
