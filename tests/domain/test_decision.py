"""What is done about a candidate: each limit is held against both of its sides, to the last digit."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import fields, replace

from gal_friday.domain.adjustment import Adjustment, AdjustmentType, Effect, Plug, adjustment_id
from gal_friday.domain.assets import Asset
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.decision import Choice, Decision, Used, breakers_of, decide
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import Kind
from tests.domain.build import T0

POLICY = Policy()
NOTHING = Used()
XRP, POSITION = "balances:XRP:spot", "positions:XRP/USD:net"
EVIDENCE = AdjustmentType.BOOK_FILL


def made(kind: AdjustmentType, key: str = XRP, *, effects: bool = True) -> Adjustment:
    postings = (Plug(Kind.BALANCES, "XRP", "spot", Decimal(1)),)
    return Adjustment(
        adjustment_id=adjustment_id("main", "kraken", postings, ""),
        account="main",
        exchange="kraken",
        type=kind,
        postings=postings,
        discrepancies=("dis_1",),
        keys=(key,),
        effects=(Effect(key, Decimal(0), Decimal(1)),) if effects else (),
        record_ids=(),
        cause="missed_fill",
        reason="",
        value=None,
        reconciliation_id="rec_1",
        book_version="1",
        at=T0,
    )


def proven(value: str | None = "1", kind: AdjustmentType = EVIDENCE, *, effects: bool = True, **more: Any) -> Candidate:
    terms: dict[str, Any] = {
        "event": "T1",
        "cause": "missed_fill",
        "discrepancies": ("dis_1",),
        "keys": (XRP,),
        "adjustment": made(kind, effects=effects),
        "bars": Bars(),
        "proven": True,
        "confirmed": True,
        "value": None if value is None else Decimal(value),
    }
    return Candidate(**(terms | more))


def plug(value: str | None = "1", difference: str = "1", whole: str | None = "1000", key: str = XRP) -> Candidate:
    kind = AdjustmentType.BALANCE if key == XRP else AdjustmentType.POSITION_QUANTITY
    kind = AdjustmentType.ADD_POSITION if whole is None and key != XRP else kind
    return proven(
        value,
        adjustment=made(kind, key),
        keys=(key,),
        proven=False,
        difference=Decimal(difference),
        whole=None if whole is None else Decimal(whole),
    )


def decided(
    candidate: Candidate, *, mode: Mode = Mode.ENFORCE, used: Used = NOTHING, stop: tuple[str, ...] = (), **terms: Any
) -> Decision:
    (one,) = decide([candidate], mode=mode, policy=replace(POLICY, **terms), used=used, breakers=stop)
    assert one.candidate is candidate
    return one.decision


def choice(candidate: Candidate, **more: Any) -> str:
    return decided(candidate, **more).choice


@pytest.mark.parametrize(
    "candidate, expected",
    [
        (plug("1", "1", "1000"), "correct"),
        (plug("1", "-1", "1000"), "correct"),
        (plug("1", "1.00000000000000000000000000001", "1000"), "propose"),
        (plug("1", "-1.00000000000000000000000000001", "1000"), "propose"),
        (plug("1", "1", "999.99999999999999999999999999999"), "propose"),
        (plug("1", "10", "1000", POSITION), "correct"),
        (plug("1", "10.00000000000000000000000000001", "1000", POSITION), "propose"),
        (plug("1", "-10", "1000", POSITION), "correct"),
    ],
)
def test_a_plug_is_a_hundredth_of_a_position_or_a_thousandth_of_a_balance_at_most(
    candidate: Candidate, expected: str
) -> None:
    assert choice(candidate) == expected


@pytest.mark.parametrize("threshold, difference, expected", [("0", "1E-30", "propose"), ("1", "100", "correct")])
def test_the_share_of_a_plug_is_the_policys(threshold: str, difference: str, expected: str) -> None:
    assert choice(plug("1", difference), auto_correct_threshold=Decimal(threshold)) == expected


@pytest.mark.parametrize("value, expected", [("10", "correct"), ("10.0000000000000000000000000001", "propose")])
def test_a_plug_is_worth_ten_at_most(value: str, expected: str) -> None:
    assert choice(plug(value)) == expected
    assert choice(plug(value, whole=None)) == expected  # one side lacks the key: its value alone decides
    assert choice(plug(value, whole=None, key=POSITION)) == expected


@pytest.mark.parametrize("value, expected", [("10000", "correct"), ("10000.000000000000000000000001", "propose")])
def test_a_proven_repair_is_worth_ten_thousand_at_most(value: str, expected: str) -> None:
    assert choice(proven(value)) == expected


@pytest.mark.parametrize("candidate", [plug(None), plug(None, whole=None), proven(None)])
def test_without_a_price_nothing_that_moves_an_amount_is_posted(candidate: Candidate) -> None:
    found = decided(candidate)
    assert (found.choice, found.reasons) == ("propose", ("nobody knows what it is worth: there is no price",))


def test_what_moves_no_amount_needs_no_price() -> None:
    assert choice(proven(None, AdjustmentType.CLOSE_ORDER, effects=False)) == "correct"


def test_what_is_explained_with_a_residual_or_in_several_ways_is_proposed() -> None:
    assert choice(proven(proven=False)) == "propose"


@pytest.mark.parametrize("kind", [AdjustmentType.REVERSE_RECORD, AdjustmentType.ORDER_STATE])
def test_only_a_person_takes_back_a_record_or_takes_in_an_order(kind: AdjustmentType) -> None:
    assert choice(proven(kind=kind)) == "propose"


@pytest.mark.parametrize("before, expected", [("", "correct"), ("adj_1", "propose")])
def test_what_a_person_decided_against_once_a_person_decides_about_again(before: str, expected: str) -> None:
    assert choice(proven(turned_down=before)) == expected


@pytest.mark.parametrize("used, expected", [(19, "correct"), (20, "propose"), (21, "propose")])
def test_so_many_corrections_an_hour(used: int, expected: str) -> None:
    assert choice(proven(), used=Used(hour=used)) == expected


@pytest.mark.parametrize("used, expected", [(99, "correct"), (100, "propose")])
def test_so_many_corrections_a_day(used: int, expected: str) -> None:
    assert choice(proven(), used=Used(day=used)) == expected


@pytest.mark.parametrize("field, limit", [("hour_value", 20_000), ("day_value", 50_000)])
def test_so_much_value_an_hour_and_a_day(field: str, limit: int) -> None:
    within, beyond = Decimal(limit) - 1, Decimal(f"{limit - 1}.00000000000000000001")
    assert choice(proven(), used=Used(**{field: within})) == "correct"  # type: ignore[arg-type]
    assert choice(proven(), used=Used(**{field: beyond})) == "propose"  # type: ignore[arg-type]


def test_what_one_run_corrects_counts_for_the_candidates_after_it() -> None:
    many = [proven("1"), plug("2"), proven("3", proven=False), proven("4"), proven("1")]
    used = Used(1, Decimal(5), 1, Decimal(5))
    policy = replace(POLICY, corrections_per_hour=4, corrected_value_per_day=Decimal(12))
    found = decide(many, mode=Mode.ENFORCE, policy=policy, used=used)
    assert [one.decision.choice for one in found] == ["correct", "correct", "propose", "correct", "propose"]
    assert len(found[-1].decision.reasons) == 2
    tight = replace(policy, corrected_value_per_day=Decimal("11.99999999999999999999999999999"))
    found = decide(many, mode=Mode.ENFORCE, policy=tight, used=used)
    assert [one.decision.choice for one in found] == ["correct", "correct", "propose", "propose", "correct"]


@pytest.mark.parametrize("flips, expected", [(2, "correct"), (3, "propose"), (4, "propose")])
def test_what_came_back_too_often_is_not_corrected_again(flips: int, expected: str) -> None:
    assert choice(proven(flips=flips)) == expected


@pytest.mark.parametrize("mode, expected", [("observe", "wait"), ("propose", "propose"), ("enforce", "correct")])
@pytest.mark.parametrize("candidate", [proven(), plug()])
def test_the_mode_says_how_far_a_run_may_go(candidate: Candidate, mode: str, expected: str) -> None:
    assert choice(candidate, mode=Mode(mode)) == expected


@pytest.mark.parametrize("mode", [Mode.PROPOSE, Mode.ENFORCE])
def test_what_is_not_confirmed_waits(mode: Mode) -> None:
    assert choice(proven(confirmed=False), mode=mode) == "wait"


@pytest.mark.parametrize("mode, lasting", [("observe", "wait"), ("propose", "escalate"), ("enforce", "escalate")])
def test_what_bars_for_good_goes_to_a_person_and_what_passes_is_waited_for(mode: str, lasting: str) -> None:
    both = Bars(("in motion",), ("nobody knows this name",))
    for candidate in (proven(bars=both), proven(bars=both, confirmed=False), plug()):
        bars = replace(candidate, bars=both)
        assert choice(bars, mode=Mode(mode)) == lasting
    assert choice(proven(bars=Bars(("in motion",))), mode=Mode(mode)) == "wait"


def test_what_nothing_can_be_posted_for_goes_to_a_person() -> None:
    assert choice(proven(adjustment=None)) == Choice.ESCALATE
    assert choice(proven(adjustment=None, confirmed=False)) == Choice.ESCALATE


def test_a_breaker_proposes_what_would_be_corrected_and_says_so() -> None:
    found = decided(proven(), stop=("corrections stopped: it is late",))
    assert (found.choice, found.reasons) == ("propose", ("corrections stopped: it is late",))


@pytest.mark.parametrize(
    "runs, also, choice", [(2, (), "wait"), (3, (), "propose"), (0, (), "propose"), (2, ("it is late",), "propose")]
)
def test_nobody_is_asked_yet_about_what_only_waits_for_a_run_that_sees_everything(
    runs: int, also: tuple[str, ...], choice: str
) -> None:
    stop = (*stopped(degraded=["no answer"]), *also)
    found = decided(proven(runs=runs), stop=stop)
    assert (found.choice, found.reasons) == (choice, stop)


@pytest.mark.parametrize("waiting", [{"confirmed": False}, {"bars": Bars(("in motion",))}])
def test_a_breaker_is_told_of_what_still_waits(waiting: dict[str, Any]) -> None:
    found = decided(proven(**waiting), stop=("corrections stopped: it is late",))
    assert (found.choice, found.reasons[-1]) == ("wait", "corrections stopped: it is late")


def stopped(**more: Any) -> tuple[str, ...]:
    terms: dict[str, Any] = {"discrepancies": 0, "degraded": (), "flips": 0, "unverified": (), "policy": POLICY}
    return breakers_of(**(terms | more))


@pytest.mark.parametrize(
    "within, beyond",
    [
        ({"discrepancies": 100}, {"discrepancies": 101}),
        ({"flips": 2}, {"flips": 3}),
        ({}, {"degraded": ["no answer"]}),
        ({}, {"unverified": ["adj_1"]}),
    ],
)
def test_each_breaker_stops_the_account(within: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert stopped(**within) == ()
    (reason,) = stopped(**beyond)
    assert reason.startswith("corrections stopped: ")


def test_all_that_stands_against_a_correction_is_told() -> None:
    found = decided(proven("10001", proven=False, flips=3), mode=Mode.PROPOSE, used=Used(20, Decimal(20_000)))
    assert len(found.reasons) == 6


OTHERS: dict[str, Any] = {
    "tolerances": {Asset("XRP"): Decimal(1)},
    "graces": {"kraken": 1},
    "reporting_currency": Asset("EUR"),
    "four_eyes": False,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Policy)])
def test_every_field_of_a_policy_is_in_its_version(name: str) -> None:
    now = getattr(POLICY, name)
    other = replace(POLICY, **{name: OTHERS[name] if name in OTHERS else now + 1})
    assert other.version != POLICY.version
    assert decided(proven(), **{name: now}).policy_version == POLICY.version
    assert decided(proven(), **{name: getattr(other, name)}).policy_version == other.version


def test_the_version_of_a_policy_hangs_on_its_content_alone() -> None:
    one = Policy(tolerances={Asset("A"): Decimal(1), Asset("B"): Decimal(2)})
    other = Policy(tolerances={Asset("B"): Decimal(2), Asset("A"): Decimal(1)})
    assert one.version == other.version
    assert Policy().version == POLICY.version


@pytest.mark.parametrize(
    "candidate, terms, reasons",
    [
        (proven(), {}, ["the exchange's records prove it, without residual and without another explanation"]),
        (plug(), {}, ["no record explains it; it is confirmed, and small enough to be forced"]),
        (proven(), {"mode": Mode.OBSERVE}, ["this account is only observed"]),
        (proven(), {"mode": Mode.PROPOSE}, ["in this mode a person decides"]),
        (proven(confirmed=False), {}, ["seen too seldom or too shortly to be certain"]),
        (proven(adjustment=None), {}, ["nothing could be posted for it"]),
        (proven(bars=Bars(("in motion",), ("unknown",))), {}, ["unknown"]),
        (proven(bars=Bars(("in motion",))), {"stop": ("stopped",)}, ["in motion", "stopped"]),
        (proven(None), {}, ["nobody knows what it is worth: there is no price"]),
        (proven(turned_down="adj_1"), {}, ["adj_1 posted the same, and a person decided against it"]),
        (proven(flips=3), {}, ["it came back 3 times"]),
        (
            proven("10001", proven=False),
            {},
            [
                "the records do not explain it to the last digit and beyond doubt",
                "it is worth more than 10000 (proven_max_value)",
            ],
        ),
        (
            plug("11", "2", "1000"),
            {},
            [
                "no record explains it, and it is worth more than 10",
                "no record explains it, and it is more than 0.001 of the amount",
            ],
        ),
        (
            proven(kind=AdjustmentType.REVERSE_RECORD),
            {},
            ["the book would lose a record that the exchange denies"],
        ),
        (
            proven(kind=AdjustmentType.ORDER_STATE),
            {},
            ["the book would take in an order that may be somebody else's, or that still works"],
        ),
        (
            proven(),
            {"used": Used(20, Decimal(20_000), 100, Decimal(100_000))},
            [
                "20 corrections in this hour already (corrections_per_hour)",
                "100 corrections in this day already (corrections_per_day)",
                "20000 corrected in this hour already (corrected_value_per_hour)",
                "100000 corrected in this day already (corrected_value_per_day)",
            ],
        ),
    ],
)
def test_a_decision_says_why_in_whole_sentences(
    candidate: Candidate, terms: dict[str, Any], reasons: list[str]
) -> None:
    assert list(decided(candidate, **terms).reasons) == reasons


def test_a_breaker_says_what_has_tripped_it() -> None:
    assert stopped(discrepancies=101, flips=3, degraded=["no answer"], unverified=["adj_1"], unsettled=["adj_2"]) == (
        "corrections stopped: 101 discrepancies at once (breaker_discrepancies)",
        "corrections stopped: not everything was seen (no answer)",
        "corrections stopped: a discrepancy came back 3 times (breaker_flips)",
        "corrections stopped: after adj_1 a difference was still seen",
        "corrections stopped: nobody knows whether adj_2 was posted (gal-friday adjustments adj_2)",
    )
