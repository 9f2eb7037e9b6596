"""The life of a discrepancy: rules one by one, and any sequence of observations (I7)."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import Grader, discrepancies_of
from gal_friday.domain.explanation import Explanation, Item
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Key,
    Pending,
    Stake,
)
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import HISTORY_MAX, Carried, Run, carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Kind
from gal_friday.domain.report import compare
from tests.domain.build import T0, D, balance, exchange, fill, internal, movement

POLICY = Policy()
XRP = Key(Kind.BALANCES, "XRP", "spot")
LOT = Key(Kind.POSITIONS, "XRP/USD", "net")
FILL = Key(Kind.FILLS, "TX1")
PRICES = {Asset("XRP"): D(1), Asset("USD"): D(1)}
WINDOW = T0 - timedelta(hours=24)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def differs(key: Key = XRP, amount: str = "5", of: str = "balance_mismatch", field: str = "total") -> Finding:
    stake = Stake(D(amount), Asset("XRP"))
    mismatch = AmountMismatch(DiscrepancyType(of), field, D(0), D(amount), D(amount), stake)
    return Differs(key, (mismatch,), "XRP")


def missing(at: datetime | None = None) -> Finding:
    return ExchangeOnly(FILL, DiscrepancyType.FILL_MISSING_INTERNAL, D(40), "XRP/USD", Stake(D(40), Asset("XRP")), at)


def seen(
    known: list[Followed] | Carried,
    *findings: Finding,
    at: float = 0,
    proven: frozenset[str] = frozenset(),
    blind: bool = False,
    policy: Policy = POLICY,
) -> Carried:
    """Return what becomes of *known* in a run that saw these findings so many seconds after T0."""
    before = [*known.open, *known.cleared] if isinstance(known, Carried) else known
    now = after(at)
    grader = Grader("main", "kraken", policy, PRICES, now)
    found = [one for finding in findings for one in discrepancies_of(finding, grader)]
    run = Run(account="main", exchange="kraken", now=now, since=WINDOW, proven=proven, blind=blind)
    return carry_forward(before, findings, found, run=run, policy=policy)


def one(carried: Carried) -> Followed:
    (followed,) = (*carried.open, *carried.cleared)
    return followed


def test_what_is_seen_for_the_first_time_is_suspected() -> None:
    carried = seen([], differs())
    assert [each.state for each in carried.opened] == ["suspected"]
    assert one(carried).latest.state == "suspected"


@pytest.mark.parametrize("seconds, state", [(89.999, "suspected"), (90, "confirmed")])
def test_it_is_confirmed_when_seen_twice_over_at_least_the_grace(seconds: float, state: str) -> None:
    carried = seen(seen([], differs()), differs(), at=seconds)
    assert (one(carried).state, len(carried.confirmed)) == (state, state == "confirmed")


@pytest.mark.parametrize("runs, state", [(2, "suspected"), (3, "confirmed")])
def test_it_is_confirmed_only_when_seen_in_as_many_runs_as_the_policy_asks_for(runs: int, state: str) -> None:
    policy, carried = Policy(confirmations=3), seen([])
    for run in range(runs):
        carried = seen(carried, differs(), at=run * 1000, policy=policy)
    assert (one(carried).state, one(carried).clean_observations) == (state, runs)


def test_what_is_proven_is_confirmed_at_once() -> None:
    name = one(seen([], differs())).id
    carried = seen([], differs(), proven=frozenset({name}))
    assert [(each.state, each.confirmed_at) for each in carried.opened] == [("confirmed", T0)]
    assert [change.what for change in one(carried).history] == ["opened", "confirmed"]
    later = seen(seen([], differs()), differs(), at=1, proven=frozenset({name}))
    assert one(later).state == "confirmed"


def test_only_agreement_clears() -> None:  # I7
    carried = seen(seen([], differs()), Agrees(XRP), at=60)
    assert [(each.state, each.cleared_at) for each in carried.cleared] == [("cleared", after(60))]


@pytest.mark.parametrize("finding", [Pending(XRP, "moving"), CannotTell(XRP, "no answer"), Agrees(FILL)])
def test_whatever_else_is_found_keeps_it_as_it_was(finding: Finding) -> None:  # I7
    before = seen([], differs())
    assert seen(before, finding, at=60).kept == before.opened
    assert seen(before, at=60).kept == before.opened


def test_a_run_that_saw_nothing_at_all_clears_nothing() -> None:  # I7, N14
    before = seen([], differs())
    assert seen(before, Agrees(XRP), at=60, blind=True).kept == before.opened


def test_two_empty_readings_that_agree_with_anybody_are_no_agreement() -> None:  # I7, N14
    before = seen([], differs())
    empty = compare(internal(as_of=after(60)), exchange(as_of=after(60)), watched=[XRP])
    assert [type(finding) for finding in empty.findings] == [Agrees]
    run = run_of(empty, since=WINDOW)
    assert carry_forward(before.open, empty.findings, [], run=run, policy=POLICY).kept == before.opened


def test_a_key_that_differs_in_another_way_clears_the_first_and_is_no_younger_for_it() -> None:
    before = seen([], differs(LOT, of="side_mismatch", field="quantity"))
    carried = seen(before, differs(LOT, of="quantity_mismatch", field="quantity"), at=600)
    assert [each.type for each in carried.cleared] == ["side_mismatch"]
    assert [(each.type, each.since, each.first_seen) for each in carried.opened] == [
        ("quantity_mismatch", T0, after(600))
    ]
    assert one(seen(list(carried.opened), Agrees(LOT), at=700)).state == "cleared"


def test_a_cost_is_not_judged_where_the_sizes_differ() -> None:  # I7
    before = seen([], differs(LOT, of="cost_basis_mismatch", field="cost"))
    carried = seen(before, differs(LOT, of="quantity_mismatch", field="quantity"), at=600)
    assert carried.kept == before.opened
    assert len(carried.opened) == 1


def test_what_comes_back_is_the_same_one_with_a_flip() -> None:
    first = seen(seen([], differs()), differs(), at=100)
    back = one(seen(seen(first, Agrees(XRP), at=200), differs(amount="7"), at=300))
    assert (back.id, back.state, back.flips, back.occurrences) == (one(first).id, "suspected", 1, 3)
    assert (back.first_seen, back.opened_at, back.since) == (T0, after(300), after(300))
    assert (back.confirmed_at, back.cleared_at, back.clean_observations) == (None, None, 1)
    assert [change.what for change in back.history] == ["opened", "confirmed", "cleared", "reopened"]


def test_what_came_back_is_confirmed_anew() -> None:
    cleared = seen(seen([], differs()), Agrees(XRP), at=1000)
    assert one(seen(seen(cleared, differs(), at=2000), differs(), at=2001)).state == "suspected"
    assert one(seen(seen(cleared, differs(), at=2000), differs(), at=2090)).state == "confirmed"


def test_a_cleared_one_that_is_not_seen_stays_out_of_it() -> None:
    cleared = seen(seen([], differs()), Agrees(XRP), at=10)
    carried = seen(cleared, Agrees(XRP), at=20)
    assert (carried.open, carried.written) == ((), ())


def test_it_ages_from_the_time_of_the_event_where_that_is_known() -> None:
    carried = seen(seen([], missing(after(-1800))), missing(after(-1800)), at=600)
    assert (one(carried).since, one(carried).latest.age_seconds) == (after(-1800), 2400)


def test_a_balance_ages_from_the_first_event_after_which_the_sides_do_not_agree() -> None:
    bought = fill("T1", "40", "0.5", minute=-60)
    rows = (movement("L1", "40", refers_to="T1", minute=-60), movement("L2", "-20", "USD", refers_to="T1", minute=-60))
    theirs = exchange(balance("XRP", "40"), balance("USD", "-20"), bought, *rows)
    report = compare(internal(), theirs)
    run = Run(account="main", exchange="kraken", now=T0, since=WINDOW)
    carried = carry_forward([], report.findings, report.discrepancies, run=run, policy=POLICY)
    (xrp,) = (one for one in carried.opened if str(one.key) == "balances:XRP:spot")
    assert (xrp.since, xrp.latest.age_seconds) == (after(-3600), 3600)


def test_without_such_a_time_it_ages_from_when_it_was_first_seen() -> None:
    first = seen([], differs())
    assert one(first).latest.age_seconds is None
    assert one(seen(first, differs(), at=600)).latest.age_seconds == 600


def test_growth_is_kept() -> None:
    carried = seen([], differs(amount="5"))
    for run, amount in enumerate(("5", "9", "7"), 1):
        carried = seen(carried, differs(amount=amount), at=run * 30)
    assert one(carried).largest_value == D(9)
    assert [change.note for change in one(carried).history if change.what == "changed"] == [
        "book 0, exchange 9",
        "book 0, exchange 7",
    ]


def test_the_history_is_bounded_and_keeps_counting() -> None:
    carried = seen([], differs())
    for run in range(1, 3 * HISTORY_MAX):
        carried = seen(carried, differs(amount=str(run)), at=run)
    history = one(carried).history
    assert (len(history), history[-1].number) == (HISTORY_MAX, one(carried).changes)


@pytest.mark.parametrize("finding", [differs(), Agrees(XRP)])
@pytest.mark.parametrize("at", [0, -60])
def test_an_observation_that_is_not_later_than_the_last_changes_nothing(finding: Finding, at: float) -> None:
    before = seen([], differs())
    carried = seen(before, finding, at=at)
    assert (carried.written, carried.open) == ((), before.opened)


def test_a_late_look_at_what_was_cleared_since_does_not_reopen_it() -> None:
    cleared = seen(seen([], differs()), Agrees(XRP), at=60)
    carried = seen(cleared, differs(), at=30)
    assert (carried.written, carried.open) == ((), ())


def test_records_must_be_read_from_when_they_happened_but_within_the_window_that_showed_them() -> None:
    assert one(seen([], differs())).read_from is None
    assert one(seen([], missing(after(-1800)))).read_from == after(-1860)
    assert one(seen([], missing(WINDOW - timedelta(days=9)))).read_from == WINDOW
    assert one(seen([], differs(FILL, of="fill_mismatch", field="price"))).read_from == WINDOW


def test_what_began_with_an_event_since_it_agreed_is_another_error_and_no_flip() -> None:
    cleared = list(seen(seen([], missing(T0)), Agrees(FILL), at=200).cleared)
    for event, flips in ((after(150), 1), (after(200), 1), (after(250), 0)):
        assert one(seen(cleared, missing(event), at=300)).flips == flips


def test_what_nothing_dated_when_it_was_back_is_no_flip_once_it_is_told_to_be_another_error() -> None:
    cleared = list(seen(seen([], missing(T0)), Agrees(FILL), at=200).cleared)
    undated = seen(cleared, missing(None), at=300)
    assert one(undated).flips == 1
    for event, flips in ((after(200), 1), (after(201), 0), (after(299), 0), (after(300), 1)):
        told = seen(undated, missing(event), at=400)
        assert one(told).flips == flips
        assert one(seen(told, missing(event), at=500)).flips == flips


@pytest.mark.parametrize("event, flips", [(200, 1), (201, 0)])
def test_an_amount_that_is_off_by_records_of_after_it_agreed_is_another_error(event: int, flips: int) -> None:
    cleared = list(seen(seen([], differs()), Agrees(XRP), at=200).cleared)
    bridge = Explanation(D(0), D(5), (Item(Cause.MISSED_FILL, D(5), (), "TX1"),), D(0), Cause.UNEXPLAINED, proven=True)
    grader = Grader("main", "kraken", POLICY, PRICES, after(300))
    (off,) = (replace(each, bridge=bridge) for each in discrepancies_of(differs(), grader))
    run = Run(account="main", exchange="kraken", now=after(300), since=WINDOW)
    carried = carry_forward(cleared, [differs(), missing(after(event))], [off], run=run, policy=POLICY)
    assert one(carried).flips == flips


def test_the_order_of_findings_and_of_what_is_known_is_of_no_matter() -> None:
    findings = [differs(), missing(T0), differs(LOT, of="quantity_mismatch", field="quantity")]
    known = list(seen([], *findings).opened)
    outcomes = [seen(list(some), *others, at=100) for some in permutations(known) for others in permutations(findings)]
    assert all(outcome == outcomes[0] for outcome in outcomes)


@pytest.mark.parametrize(
    "finding", [differs(amount="0.00000001"), missing(T0), differs(LOT, of="quantity_mismatch", field="quantity")]
)
def test_what_is_written_is_read_back_equal(finding: Finding) -> None:
    for followed in (one(seen([], finding)), one(seen(seen([], finding), finding, at=100))):
        back = Followed.from_json(followed.to_json())
        assert back == followed
        assert type(back.latest) is type(followed.latest)
        assert back.to_json() == followed.to_json()


LOOKS = ("agrees", "differs", "otherwise", "pending", "cannot_tell", "absent")


class AnySequence(RuleBasedStateMachine):
    """Any sequence of runs, each looking at two keys in any way, beside the plainest account of what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Followed] = {}
        self.ids: dict[tuple[Key, str], str] = {}
        self.clock = 0

    def finding(self, key: Key, look: str) -> Finding | None:
        match look:
            case "agrees":
                return Agrees(key)
            case "differs":
                return differs(key, of="quantity_mismatch", field="quantity")
            case "otherwise":
                return differs(key, of="side_mismatch", field="quantity")
            case "pending":
                return Pending(key, "moving")
            case "cannot_tell":
                return CannotTell(key, "no answer")
        return None

    @rule(
        looks=st.tuples(st.sampled_from(LOOKS), st.sampled_from(LOOKS)),
        wait=st.sampled_from([0, 1, 60, 90]),
        failed=st.booleans(),
        backwards=st.booleans(),
    )
    def run(self, looks: tuple[str, str], wait: int, failed: bool, backwards: bool) -> None:
        keys = (LOT, Key(Kind.POSITIONS, "BTC/USD", "net"))
        self.clock += wait
        looked = ("cannot_tell", "cannot_tell") if failed else looks
        found = {key: self.finding(key, look) for key, look in zip(keys, looked, strict=True)}
        findings = [finding for finding in found.values() if finding is not None]
        before = dict(self.known)
        carried = seen(list(before.values()), *(reversed(findings) if backwards else findings), at=self.clock)
        for one in carried.written:
            self.known[one.id] = one
        for followed in before.values():
            self.check(followed, self.known[followed.id], found[followed.key])
        for each in carried.opened:
            assert self.ids.setdefault((each.key, each.type), each.id) == each.id
            assert each.id not in before
        groups = [each.id for each in (*carried.open, *carried.cleared)]
        assert len(groups) == len(set(groups))

    def check(self, was: Followed, now: Followed, finding: Finding | None) -> None:
        differs_so = isinstance(finding, Differs) and finding.mismatches[0].type == was.type
        if was.is_open and not now.is_open:
            assert isinstance(finding, Agrees | Differs)
            assert not differs_so
        if not was.is_open and now.is_open:
            assert differs_so
            assert now.flips == was.flips + 1
        if isinstance(finding, Pending | CannotTell | None) or after(self.clock) <= was.judged_at:
            assert now == was
        if now.state == "confirmed":
            assert now.clean_observations >= POLICY.confirmations
            assert now.last_seen - now.opened_at >= timedelta(seconds=POLICY.grace_seconds)

    @invariant()
    def what_is_known_adds_up(self) -> None:
        for one in self.known.values():
            assert one.is_open == (one.cleared_at is None)
            assert one.first_seen <= one.opened_at <= one.last_seen
            assert one.history[-1].number == one.changes
            assert Followed.from_json(one.to_json()) == one


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
