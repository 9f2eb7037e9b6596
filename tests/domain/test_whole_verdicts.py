"""What was not checked, in words and by whom, and what a run comes to: whole, on both sides of each boundary."""

import pytest

from gal_friday.domain.finding import (
    Agrees,
    CannotTell,
    Differs,
    DiscrepancyType,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Snapshot
from gal_friday.domain.verdict import (
    ReconciliationStatus,
    Verdict,
    both_saw_all,
    gaps_in,
    out_of_scope,
    status_of,
    verdict_of,
)
from tests.domain.build import D, balance, covering, exchange, fill, internal

KEY = Key(Kind.BALANCES, "BTC", "spot")
GAP = NotChecked(Kind.FILLS, "why")
AGREES, PENDING, DARK = Agrees(KEY), Pending(KEY, "why"), CannotTell(KEY, "why")
LONE = InternalOnly(KEY, DiscrepancyType.BALANCE_MISMATCH, D("1"))
SAME = balance("BTC", "1")
NOWHERE = Coverages()


@pytest.mark.parametrize(
    "unlike, gaps, verdict",
    [
        ([], [], "reconciled"),
        ([], [GAP], "incomplete"),
        ([DARK], [], "incomplete"),
        ([LONE, PENDING, DARK], [], "incomplete"),
        ([PENDING, LONE], [], "discrepancies"),
        ([PENDING], [], "pending"),
    ],
)
def test_of_several_that_hold_the_verdict_is_the_first(
    unlike: list[Finding], gaps: list[NotChecked], verdict: str
) -> None:
    assert verdict_of(unlike, gaps) == verdict


def test_a_run_failed_only_where_nothing_could_be_used() -> None:
    assert {(verdict, usable): status_of(verdict, usable) for verdict in Verdict for usable in (True, False)} == {
        **{(verdict, True): ReconciliationStatus.PARTIAL for verdict in Verdict},
        **{(verdict, False): ReconciliationStatus.FAILED for verdict in Verdict},
        **{(Verdict.RECONCILED, usable): ReconciliationStatus.SUCCESS for usable in (True, False)},
    }


@pytest.mark.parametrize(
    "ours, theirs, seen",
    [
        ({"balances": "total"}, {"balances": "total"}, True),
        ({"balances": "total"}, {"balances": "partial"}, False),
        ({"balances": "partial"}, {"balances": "partial"}, False),
        ({"balances": "total"}, {"fills": "total"}, False),
        ({"fills": "total", "balances": "none"}, {"fills": "total"}, True),
        ({}, {}, False),
    ],
)
def test_both_saw_all_of_a_kind_or_neither_list_says_anything(
    ours: dict[str, Coverage], theirs: dict[str, Coverage], seen: bool
) -> None:
    sides = internal(coverage=Coverages(**ours)), exchange(coverage=Coverages(**theirs))
    assert both_saw_all(*sides, RECORD_KINDS) is seen
    assert both_saw_all(*sides, [Kind.ORDERS]) is False


def gaps(ours: Snapshot, theirs: Snapshot, *unlike: Finding, only: tuple[Kind, ...] = RECORD_KINDS) -> list[NotChecked]:
    return list(gaps_in(ours, theirs, only, unlike))


def test_what_was_not_seen_is_told_kind_by_kind_the_book_first() -> None:
    dark = Coverages(balances=Coverage.TOTAL, fills=Coverage.PARTIAL)
    assert gaps(internal(SAME, coverage=dark), exchange(SAME)) == [
        NotChecked(Kind.POSITIONS, "the internal snapshot covers positions not at all", "internal"),
        NotChecked(Kind.ORDERS, "the internal snapshot covers orders not at all", "internal"),
        NotChecked(Kind.FILLS, "the internal snapshot covers fills only in part", "internal"),
        NotChecked(Kind.MOVEMENTS, "the internal snapshot covers movements not at all", "internal"),
    ]
    both = covering("fills", Coverage.PARTIAL)
    assert gaps(internal(SAME, coverage=both), exchange(SAME, coverage=both)) == [
        NotChecked(Kind.FILLS, "the internal snapshot covers fills only in part", "internal"),
        NotChecked(Kind.FILLS, "the exchange snapshot covers fills only in part", "exchange"),
    ]


def test_rows_without_a_stated_coverage_are_told_with_the_way_out() -> None:
    reason = (
        "the exchange snapshot lists fills, but its coverage of them is none: they prove nothing; "
        "state coverage total or partial"
    )
    theirs = exchange(SAME, fill(), coverage=covering("fills", Coverage.NONE))
    assert gaps(internal(SAME), theirs) == [NotChecked(Kind.FILLS, reason, "exchange")]


def test_what_a_reader_named_stands_for_its_kind_and_holds_for_balances() -> None:
    named = (
        NotChecked(Kind.SOURCES, "no proof"),
        NotChecked(Kind.HOLDS, "no holds", "internal"),
        NotChecked(Kind.FILLS, "page 3"),
        NotChecked(Kind.FILLS, "page 5"),
    )
    theirs = exchange(SAME, not_checked=named, coverage=covering("fills", Coverage.NONE))
    assert gaps(internal(SAME), theirs) == [
        NotChecked(Kind.HOLDS, "no holds", "exchange"),
        NotChecked(Kind.FILLS, "page 3", "exchange"),
        NotChecked(Kind.FILLS, "page 5", "exchange"),
        NotChecked(Kind.SOURCES, "no proof", "exchange"),
    ]
    assert gaps(internal(SAME, not_checked=named[:1]), exchange(SAME)) == [
        NotChecked(Kind.SOURCES, "no proof", "internal")
    ]
    assert gaps(internal(SAME), theirs, only=(Kind.ORDERS, Kind.BALANCES)) == [
        NotChecked(Kind.HOLDS, "no holds", "exchange"),
        NotChecked(Kind.SOURCES, "no proof", "exchange"),
    ]


NOTHING = NotChecked(Kind.SOURCES, "neither side lists anything: nothing was compared")


def test_two_sides_that_cover_nothing_or_list_nothing_are_a_gap() -> None:  # N14
    nothing = NotChecked(Kind.SOURCES, "neither side covers anything: there was nothing to compare")
    assert gaps(internal(coverage=NOWHERE), exchange(coverage=NOWHERE)) == [nothing]
    assert gaps(internal(SAME), exchange(SAME), only=()) == [nothing]
    assert gaps(internal(), exchange()) == [NOTHING]
    assert gaps(internal(SAME), exchange(SAME), only=(Kind.ORDERS,)) == [NOTHING]
    assert gaps(internal(SAME), exchange()) == gaps(internal(), exchange(SAME)) == []


def test_a_kind_that_only_a_reason_speaks_of_is_in_scope() -> None:
    only = Coverages(balances=Coverage.TOTAL)
    sides = internal(SAME, coverage=only), exchange(SAME, coverage=only, not_checked=(NotChecked(Kind.FILLS, "cut"),))
    assert gaps(*sides) == [
        NotChecked(Kind.FILLS, "the internal snapshot covers fills not at all", "internal"),
        NotChecked(Kind.FILLS, "cut", "exchange"),
    ]


def found(kind: DiscrepancyType, stated: str) -> Differs:
    one = Inconsistent(kind, "exchange", "running balance", stated, "no row", "BTC")
    return Differs(Key(Kind.SOURCES, "ledger:BTC", "exchange"), (one,), "BTC")


def test_rows_that_are_missing_from_a_ledger_are_a_gap_of_the_exchange() -> None:
    missing = found(DiscrepancyType.LEDGER_GAP, "+0.5 BTC between L1 and L2")
    reason = (
        "ledger rows are missing: its own running balances +0.5 BTC between L1 and L2, without a row; "
        "read it again in full"
    )
    told = gaps(internal(SAME), exchange(SAME), missing, PENDING, LONE)
    assert told == [NotChecked(Kind.MOVEMENTS, reason, "exchange")]
    assert gaps(internal(SAME), exchange(SAME), found(DiscrepancyType.SOURCE_INCONSISTENT, "1")) == []


def test_what_a_comparison_was_not_about_is_said_without_weight() -> None:
    only = Coverages(balances=Coverage.TOTAL)
    asked = "left out of this run on request"
    nobody = "covered by neither side: no part of this comparison"
    assert out_of_scope(internal(SAME), exchange(SAME), RECORD_KINDS) == ()
    dark = internal(SAME, coverage=only), exchange(SAME, coverage=only)
    assert out_of_scope(*dark, (Kind.BALANCES, Kind.FILLS)) == (
        NotChecked(Kind.POSITIONS, asked),
        NotChecked(Kind.ORDERS, asked),
        NotChecked(Kind.MOVEMENTS, asked),
        NotChecked(Kind.FILLS, nobody),
    )
    one_covers = internal(SAME, coverage=only), exchange(SAME, coverage=Coverages(fills=Coverage.PARTIAL))
    assert out_of_scope(*one_covers, (Kind.BALANCES, Kind.FILLS))[3:] == ()


def test_holds_that_one_side_alone_speaks_of_are_told_of_the_other() -> None:
    reason = "this side does not say what open orders reserve"
    spoken = balance("BTC", "1", "0")
    sides = {"internal": (internal(SAME), exchange(spoken)), "exchange": (internal(spoken), exchange(SAME))}
    for silent, pair in sides.items():
        (told,) = out_of_scope(*pair, RECORD_KINDS)
        assert (told.kind, told.reason, told.side) == (Kind.HOLDS, reason, silent)
        assert NotChecked(Kind.HOLDS, reason, told.side) not in out_of_scope(*pair, (Kind.ORDERS,))
    assert out_of_scope(internal(spoken), exchange(spoken), RECORD_KINDS) == ()
