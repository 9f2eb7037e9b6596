"""What follows from an answer and from what is seen: an unknown outcome is settled by either, and never by neither."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain.adjusted import PROGRAM_ITSELF, By, Kept, Step, after, first
from gal_friday.domain.adjustment import Adjustment, AdjustmentState, AdjustmentType, Effect, Plug
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.handover import (
    ANSWER,
    Absent,
    Answer,
    Closed,
    NoAnswer,
    NotSent,
    Sighting,
    Took,
    TurnedDown,
    Waits,
    answer_in,
    clean,
    handover_of,
    steps_after_asking,
    steps_after_sending,
    why,
)
from gal_friday.domain.observed import sighting
from gal_friday.domain.records import Kind
from tests.domain.build import T0
from tests.domain.test_observed import AGREED, FILL, USD, made

ANSWERS: list[Answer] = [
    Took("7"), TurnedDown("no"), Absent(), Waits("later"), Closed(), NotSent("nobody"), NoAnswer("cut"),
]  # fmt: skip


def kept(adjustment: Adjustment) -> Kept:
    begun = first(adjustment, AdjustmentState.APPROVED, By("policy", "policy"), T0)
    return after(after(begun, Step.INTEND, PROGRAM_ITSELF, T0), Step.LOSE_SIGHT, PROGRAM_ITSELF, T0)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda one: type(one).__name__)
def test_every_step_after_an_answer_can_be_taken(answer: Answer) -> None:
    unknown = kept(made())
    intended = replace(unknown, state=AdjustmentState.INTENDED)
    for step, note in steps_after_sending(answer):
        assert after(intended, step, PROGRAM_ITSELF, T0).state is not AdjustmentState.INTENDED
        assert note
    for seen in Sighting:
        for state in (AdjustmentState.INTENDED, AdjustmentState.OUTCOME_UNKNOWN):
            one = replace(unknown, state=state)
            for step, _ in steps_after_asking(answer, seen):
                one = after(one, step, PROGRAM_ITSELF, T0)


def test_what_settles_an_unknown_outcome() -> None:
    table = {
        (type(answer).__name__, seen.value): tuple(step.value for step, _ in steps_after_asking(answer, seen))
        for answer in ANSWERS
        for seen in Sighting
    }
    assert {place: steps for place, steps in table.items() if steps} == {
        **{("Took", seen.value): ("apply",) for seen in Sighting},
        **{("TurnedDown", seen.value): ("refuse",) for seen in Sighting},
        ("Absent", "agrees"): ("withdraw", "expire"),
        ("Absent", "unchanged"): ("withdraw",),
        ("Closed", "agrees"): ("apply", "verify"),
        ("NotSent", "agrees"): ("apply", "verify"),
        ("NoAnswer", "agrees"): ("apply", "verify"),
    }


def test_what_follows_from_an_answer_is_noted_in_words() -> None:
    assert [steps_after_sending(answer) for answer in ANSWERS] == [
        ((Step.APPLY, "the book says that it took it"),),
        ((Step.REFUSE, "no"),),
        ((Step.LOSE_SIGHT, "the book, asked at once, did not have it; it may still arrive"),),
        ((Step.LOSE_SIGHT, "later"),),
        ((Step.LOSE_SIGHT, "the book, asked at once, did not have it; it may still arrive"),),
        ((Step.WITHDRAW, "it did not reach the book: nobody"),),
        ((Step.LOSE_SIGHT, "cut"),),
    ]
    unchanged = "the book, asked, does not have it, and the whole difference is still seen"
    assert steps_after_asking(Absent(), Sighting.UNCHANGED) == ((Step.WITHDRAW, unchanged),)
    assert steps_after_asking(Absent(), Sighting.AGREES) == (
        (Step.WITHDRAW, "the book, asked, does not have it"),
        (Step.EXPIRE, "both sides agree without it"),
    )
    for seen in Sighting:
        assert steps_after_asking(Took(), seen) == ((Step.APPLY, "asked again, the book says that it has it"),)
        assert steps_after_asking(TurnedDown("no"), seen) == ((Step.REFUSE, "no"),)
    agreed = "a run saw both sides agree on everything it was made for"
    for answer in (Closed(), NotSent("nobody"), NoAnswer("cut")):
        assert steps_after_asking(answer, Sighting.AGREES) == ((Step.APPLY, agreed), (Step.VERIFY, agreed))


def test_why_an_outcome_is_still_unknown_is_said_in_words() -> None:
    absent = "the book, asked, does not have it, and no run has seen yet that nothing came of it"
    assert [why(answer) for answer in ANSWERS] == ["", "no", absent, "later", "", "nobody", "cut"]


def looked(adjustment: Adjustment, findings: dict[str, Finding], *seen: str, minutes: float = 5) -> Sighting:
    return sighting(kept(adjustment), findings, seen, read_at=T0 + timedelta(minutes=minutes))


MISSING: dict[str, Finding] = {
    str(FILL): ExchangeOnly(FILL, DiscrepancyType.FILL_MISSING_INTERNAL, Decimal(40)),
    str(USD): Differs(
        USD, (AmountMismatch(DiscrepancyType.BALANCE_MISMATCH, "total", Decimal(100), Decimal(60), Decimal(-40)),)
    ),
}


def test_a_record_that_is_still_missing_shows_that_nothing_came_of_it() -> None:
    assert looked(made(), MISSING, "dis_fill", "dis_usd") is Sighting.UNCHANGED  # whatever else moved the balance
    assert looked(made(), AGREED) is Sighting.AGREES
    assert looked(made(), {**MISSING, str(FILL): Agrees(FILL)}, "dis_usd") is Sighting.UNCLEAR
    assert looked(made(), {**AGREED, str(USD): MISSING[str(USD)]}, "dis_usd") is Sighting.UNCLEAR


@pytest.mark.parametrize("minutes, expected", [(2, Sighting.UNCLEAR), (2.001, Sighting.UNCHANGED)])
def test_what_is_read_within_two_minutes_says_nothing(minutes: float, expected: Sighting) -> None:
    assert looked(made(), MISSING, "dis_fill", minutes=minutes) is expected


def test_agreement_with_a_discrepancy_that_is_still_seen_is_none() -> None:
    assert looked(made(), AGREED, "dis_fill") is Sighting.UNCLEAR


@pytest.mark.parametrize(
    "finding",
    [None, Pending(USD, "in motion"), CannotTell(USD, "not read")],
    ids=["not looked at", "in motion", "cannot be told"],
)
def test_what_could_not_be_seen_says_nothing(finding: Finding | None) -> None:  # I7
    findings = {key: one for key, one in {**AGREED, str(USD): finding}.items() if one is not None}
    assert looked(made(), findings) is Sighting.UNCLEAR


PLUG = made(
    postings=(Plug(Kind.BALANCES, "USD", "spot", Decimal(-40)),),
    keys=(str(USD),),
    effects=(Effect(str(USD), Decimal(100), Decimal(60)),),
    type=AdjustmentType.BALANCE,
)


def differing(difference: str) -> Finding:
    mismatch = AmountMismatch(
        DiscrepancyType.BALANCE_MISMATCH, "total", Decimal(0), Decimal(difference), Decimal(difference)
    )
    return Differs(USD, (mismatch,))


@pytest.mark.parametrize(
    "finding, expected",
    [
        (differing("-40"), Sighting.UNCHANGED),
        (differing("-40.00000001"), Sighting.UNCLEAR),
        (differing("40"), Sighting.UNCLEAR),
        (ExchangeOnly(USD, DiscrepancyType.BALANCE_MISMATCH, Decimal(-40)), Sighting.UNCHANGED),
        (InternalOnly(USD, DiscrepancyType.BALANCE_MISMATCH, Decimal(40)), Sighting.UNCHANGED),
        (InternalOnly(USD, DiscrepancyType.BALANCE_MISMATCH, Decimal(-40)), Sighting.UNCLEAR),
    ],
)
def test_of_a_plug_only_the_whole_difference_counts(finding: Finding, expected: Sighting) -> None:
    assert looked(PLUG, {str(USD): finding}, "dis_usd") is expected


def test_as_long_as_both_sides_agree_nothing_came_of_a_reversal() -> None:
    back = made(type=AdjustmentType.REVERSAL)
    assert looked(back, AGREED) is Sighting.UNCHANGED
    assert looked(back, MISSING, "dis_fill") is Sighting.UNCLEAR


def told(**more: Any) -> bytes:
    return json.dumps({"format": ANSWER, "adjustment_id": "adj_1", "outcome": "applied", **more}).encode()


@pytest.mark.parametrize(
    "body, answer",
    [
        (told(version="8"), Took("8")),
        (told(version=8, and_more=[1]), Took("8")),
        (told(), Took(None)),
        (told(outcome="refused", reason=" a \n b\x1b "), TurnedDown("a b?")),
        (told(outcome="absent"), Absent()),
        (told(outcome="waiting"), Waits("the book has it and has not decided about it yet")),
        (told(outcome="waiting", reason="a queue"), Waits("a queue")),
        (told(outcome="refused"), TurnedDown("the book refused it and gave no reason")),
        (told(version=" 8 \n9\0 "), Took("8 9?")),
        (told(outcome="taken"), NoAnswer("what came back has an outcome that nobody knows")),
        (told(adjustment_id="adj_2"), NoAnswer("what came back is about another adjustment")),
        (told(format="gal-friday/answer/2"), NoAnswer("what came back is of another format")),
        (b"{}", NoAnswer("what came back is no answer (docs/handing-over.md shows one)")),
    ],
)
def test_an_answer_is_read(body: bytes, answer: Answer) -> None:
    assert answer_in(body, "adj_1") == answer


@given(st.binary(max_size=200) | st.builds(lambda it: json.dumps(it).encode(), st.recursive(st.text(), st.lists)))
def test_whatever_comes_back_is_an_answer_and_settles_nothing_by_chance(body: bytes) -> None:
    assert isinstance(answer_in(body, "adj_1"), NoAnswer)


@given(st.text())
def test_an_answer_counts_for_the_one_it_names_alone(name: str) -> None:
    answer = answer_in(told(), name)
    assert isinstance(answer, Took if name == "adj_1" else NoAnswer)


def test_amounts_go_out_as_plain_digits_and_come_back_equal() -> None:  # I1
    tiny = replace(PLUG, postings=(Plug(Kind.BALANCES, "BTC", "spot", Decimal("1E-8")),))
    said = msgspec.json.decode(handover_of(tiny, token=3).body)
    assert said["postings"][0]["amount"] == "0.00000001"
    assert (said["token"], said["effects"][0]["after"], said["content"]) == (3, "60", tiny.content)


def test_the_key_of_a_finding_is_the_key_of_an_effect() -> None:
    assert str(Key(Kind.BALANCES, "USD", "spot")) == PLUG.effects[0].key


def test_a_foreign_text_is_one_printable_line_of_at_most_500_characters() -> None:
    assert clean("x" * 501) == "x" * 500
    assert clean("\t one \r\n two\u202e ") == "one two?"


def test_what_is_handed_over_names_its_format_and_holds_every_field() -> None:
    handed = handover_of(made(), token=None)
    adjustment = made()
    assert (handed.adjustment_id, handed.account, handed.content, handed.token) == (
        adjustment.adjustment_id, "main", adjustment.content, None,
    )  # fmt: skip
    assert json.loads(handed.body) == {
        "format": "gal-friday/handover/1",
        "adjustment_id": adjustment.adjustment_id,
        "account": "main",
        "exchange": "kraken",
        "type": "book_fill",
        "cause": "missed_fill",
        "reason": "it never arrived",
        "content": adjustment.content,
        "postings": json.loads(handed.body)["postings"],
        "effects": [{"key": "balances:USD:spot", "before": "0", "after": "-24"}],
        "record_ids": ["T1"],
        "reverses": None,
        "expected_version": "1",
        "computed_at": "2026-01-31T12:00:00Z",
        "token": None,
    }
    (posting,) = json.loads(handed.body)["postings"]
    assert (posting["post"], posting["fill"]["fill_id"], posting["fill"]["quantity"]) == ("fill", "T1", "40")
