"""What a run gives back to what is known: here, in how many runs without a break a key was pending."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gal_friday.domain.discrepancy import BalanceDiscrepancy
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried, Run
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import Reach, held_back, pending_after, reach_back, run_of, told, watched_keys
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Side, Snapshot
from gal_friday.domain.verdict import ReconciliationStatus
from tests.domain.test_review import SEEN
from tests.domain.test_run_facts import differing

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
USD = Key(Kind.BALANCES, "USD", "spot")
HELD = Key(Kind.HOLDS, "USD", "spot")
NONE, PARTIAL, TOTAL = Coverage.NONE, Coverage.PARTIAL, Coverage.TOTAL


def side(name: Side, balances: Coverage) -> Snapshot:
    return Snapshot(side=name, account="main", exchange="kraken", as_of=AT, coverage=Coverages(balances=balances))


def after(
    before: dict[Key, int], *findings: Finding, internal: Coverage = TOTAL, exchange: Coverage = TOTAL
) -> dict[Key, int]:
    return pending_after(before, findings, side("internal", internal), side("exchange", exchange))


@pytest.mark.parametrize("key", [USD, HELD])
def test_a_key_that_is_pending_again_is_counted(key: Key) -> None:
    assert after({}, Pending(key, "it moves")) == {key: 1}
    assert after({key: 2}, Pending(key, "it moves")) == {key: 3}


def test_a_key_that_was_judged_is_not_counted_any_more() -> None:
    assert after({USD: 2, HELD: 1}, Agrees(USD), Pending(HELD, "it moves")) == {HELD: 2}


def test_a_key_that_nobody_could_tell_of_keeps_its_count_and_gets_none() -> None:
    assert after({USD: 2}, CannotTell(USD, "no answer"), CannotTell(HELD, "no answer")) == {USD: 2}


def test_a_key_that_both_sides_would_show_and_do_not_is_not_counted_any_more() -> None:
    assert after({USD: 2, HELD: 1}) == {}


@pytest.mark.parametrize("coverage", [NONE, PARTIAL])
def test_a_key_that_one_side_may_not_have_shown_keeps_its_count(coverage: Coverage) -> None:
    assert after({USD: 2, HELD: 1}, internal=coverage) == {USD: 2, HELD: 1}
    assert after({USD: 2, HELD: 1}, exchange=coverage) == {USD: 2, HELD: 1}


def test_a_key_of_a_kind_that_was_not_read_is_not_counted_though_it_is_called_pending() -> None:
    assert after({USD: 2}, Pending(USD, "young"), Pending(HELD, "young"), exchange=NONE) == {USD: 2}


def test_a_key_of_a_kind_that_is_never_seen_in_full_does_not_wait_for_ever() -> None:
    assert after({USD: 2}, Pending(USD, "it moves"), exchange=PARTIAL) == {USD: 3}


def followed(name: str, key: Key = USD, read_from: datetime | None = None) -> Followed:
    return replace(SEEN, id=name, key=key, read_from=read_from)


def days(count: float) -> datetime:
    return AT - timedelta(days=count)


KEPT_DAYS = Policy(reach_back_days=7)
BEYOND = (
    " older than the 7 days that are read back, and can only be judged where their records still show; "
    "reconciliation.reach_back_days reaches further"
)


@pytest.mark.parametrize(
    "wanted, since, reach",
    [
        ([], 1, Reach(days(1))),
        ([None], 1, Reach(days(1))),
        ([0.5], 1, Reach(days(1))),
        ([3, 2], 1, Reach(days(3))),
        ([7, 2], 1, Reach(days(7))),
        ([7.01, 2], 1, Reach(days(7), (f"1 open discrepancy is{BEYOND}",))),
        ([8, 9, 2], 1, Reach(days(7), (f"2 open discrepancies are{BEYOND}",))),
        ([8.5], 9, Reach(days(9))),
        ([9.5], 9, Reach(days(9), (f"1 open discrepancy is{BEYOND}",))),
    ],
)
def test_a_run_reads_as_far_back_as_an_open_discrepancy_needs_and_the_policy_allows(
    wanted: list[float | None], since: float, reach: Reach
) -> None:
    known = [followed(f"dis_{n}", read_from=None if day is None else days(day)) for n, day in enumerate(wanted)]
    assert reach_back(known, since=days(since), now=AT, policy=KEPT_DAYS) == reach


def test_a_key_is_watched_from_the_earliest_instant_that_one_of_its_discrepancies_needs() -> None:
    known = [
        followed("dis_1", USD, days(2)),
        followed("dis_2", USD, days(3)),
        followed("dis_3", USD, days(1)),
        followed("dis_4", USD),
        followed("dis_5", HELD),
    ]
    assert watched_keys(known) == {USD: days(3), HELD: None}
    assert watched_keys([]) == {}


def test_a_run_as_those_who_follow_discrepancies_see_it() -> None:
    report = differing()
    (one,) = [found for found in report.discrepancies if found.key == "balances:BTC:spot"]
    assert isinstance(one, BalanceDiscrepancy)
    assert one.bridge is not None
    assert one.bridge.proven
    whole = Run(account="main", exchange="kraken", now=AT, since=days(1), proven=frozenset(), blind=False)
    assert run_of(report, since=days(1)) == whole
    # What did not move while it was read needs no second look, where its explanation leaves no doubt.
    clean = replace(report, cut=replace(report.cut, internal=days(3), clean=True))
    assert run_of(clean, since=days(1)) == replace(whole, proven=frozenset({one.id}))
    doubtful = replace(one, bridge=replace(one.bridge, proven=False))
    for other in (doubtful, replace(one, bridge=None)):
        assert run_of(replace(clean, balance_discrepancies=(other,)), since=days(1)) == whole


@pytest.mark.parametrize(
    "gap, status, blind",
    [
        (Kind.SOURCES, ReconciliationStatus.SUCCESS, True),
        (Kind.FILLS, ReconciliationStatus.SUCCESS, False),
        (Kind.FILLS, ReconciliationStatus.FAILED, True),
    ],
)
def test_a_run_that_saw_nothing_proves_nothing(gap: Kind, status: ReconciliationStatus, blind: bool) -> None:
    report = replace(differing(), not_checked=(NotChecked(gap, "not read"),), status=status)
    assert run_of(report, since=days(1)).blind is blind


def test_a_report_says_what_is_known_of_each_discrepancy_and_what_became_of_the_others() -> None:
    report = replace(differing(), notes=("before",))
    balance, movement = report.discrepancies
    latest = replace(balance, state="confirmed", occurrences=3, age_seconds=60)
    known = replace(SEEN, id=balance.id, latest=latest)
    stranger = followed("dis_x")
    carried = Carried(still_open=(known,), cleared=tuple(followed(f"dis_{n}") for n in range(7)), kept=(stranger,))
    said = told(report, carried)
    gone = ", ".join(f"balances:USD:spot (dis_{n})" for n in range(6))
    assert said == replace(
        report,
        balance_discrepancies=(latest,),
        notes=(
            "before",
            f"seen to agree, and cleared: {gone} and 1 more",
            "still open, and not judged by this run: balances:USD:spot (dis_x)",
        ),
    )
    assert said.discrepancies == (latest, movement)
    six = told(report, Carried(cleared=carried.cleared[:6], kept=(replace(known, id=movement.id),)))
    assert six.notes == ("before", f"seen to agree, and cleared: {gone}")
    assert told(report, Carried()) == report


def off(kind: DiscrepancyType) -> AmountMismatch:
    return AmountMismatch(kind, "total", Decimal(1), Decimal(2), Decimal(1))


LONG = Key(Kind.POSITIONS, "BTC/USD", "long")
REPEATED = Inconsistent(DiscrepancyType.BALANCE_DUPLICATED, "exchange", "rows", "2", "1")
MISMATCH, OTHER_SIZE = off(DiscrepancyType.BALANCE_MISMATCH), off(DiscrepancyType.QUANTITY_MISMATCH)
LACKS = DiscrepancyType.POSITION_MISSING_INTERNAL


@pytest.mark.parametrize(
    "finding, unread, known, held",
    [
        (Differs(USD, (MISMATCH,)), Kind.MOVEMENTS, (), True),
        (Differs(USD, (MISMATCH,)), Kind.MOVEMENTS, (USD,), False),
        (Differs(USD, (MISMATCH,)), Kind.MOVEMENTS, (LONG,), True),
        (Differs(USD, (MISMATCH,)), Kind.FILLS, (), False),
        (Differs(USD, (MISMATCH, REPEATED)), Kind.MOVEMENTS, (), False),
        (InternalOnly(USD, DiscrepancyType.BALANCE_MISMATCH, Decimal(1)), Kind.MOVEMENTS, (), True),
        (ExchangeOnly(USD, DiscrepancyType.UNRESOLVED_NAME, Decimal(1)), Kind.MOVEMENTS, (), False),
        (
            ExchangeOnly(USD, DiscrepancyType.BALANCE_MISMATCH, Decimal(1), repeats=(REPEATED,)),
            Kind.MOVEMENTS,
            (),
            False,
        ),
        (ExchangeOnly(LONG, LACKS, Decimal(1)), Kind.FILLS, (), True),
        (Differs(LONG, (OTHER_SIZE,)), Kind.FILLS, (), True),
        (Differs(LONG, (OTHER_SIZE,)), Kind.MOVEMENTS, (), False),
        (Differs(HELD, (off(DiscrepancyType.HOLD_MISMATCH),)), Kind.MOVEMENTS, (), False),
        (Agrees(USD), Kind.MOVEMENTS, (), False),
        (CannotTell(USD, "no answer"), Kind.MOVEMENTS, (), False),
    ],
)
def test_an_amount_waits_for_a_run_that_can_see_what_moved_it(
    finding: Finding, unread: Kind, known: tuple[Key, ...], held: bool
) -> None:
    exchange = replace(side("exchange", TOTAL), not_checked=(NotChecked(unread, "locked out", "exchange"),))
    (told,) = held_back((finding,), exchange, known)
    name, what = finding.key.name, "fills" if finding.key.kind is Kind.POSITIONS else "movements"
    reason = (
        f"{name} differs, and may have moved a moment ago: the exchange's {what} could not be read; "
        "the next run will tell"
    )
    assert told == (Pending(finding.key, reason) if held else finding)
    assert held_back((finding,), side("exchange", TOTAL), known) == (finding,)
