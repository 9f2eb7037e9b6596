"""The gate: what is a yes, and everything that makes it a no."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import carry_forward
from gal_friday.domain.gate import MAX_AGE, Check, Gate, Standing, Why, gate, touches
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.report import compare
from tests.domain.build import T0, balance, exchange, fill, internal

XRP = Instrument("XRP/USD")
GOOD = Check(
    reconciliation_id="rec_1", at=T0, status="success", verdict="reconciled", assets=frozenset({"XRP", "USD", "BTC"})
)
SOUND = Standing(account="main", last=GOOD, good=GOOD)


def asked(standing: Standing = SOUND, *, after: timedelta = timedelta(minutes=1), **more: Any) -> Gate:
    policy = more.pop("policy", Policy())
    return gate(standing, more.pop("instrument", XRP), T0 + after, policy=policy, **more)


def reasons(answer: Gate) -> list[str]:
    assert answer.may_trade is not bool(answer.because)
    return [one.why for one in answer.because]


def open_on(asset: str) -> Followed:
    made = compare(
        internal(balance(asset, "1")),
        exchange(balance(asset, "2")),
        prices={Asset(asset): Decimal(5000)},
    )
    run = run_of(made, since=T0 - timedelta(days=1))
    (one,) = carry_forward((), made.findings, made.discrepancies, run=run, policy=Policy()).opened
    return one


def test_a_good_check_a_moment_ago_is_a_yes() -> None:
    answer = asked()
    assert (answer.may_trade, answer.because, answer.age_seconds, answer.checked_at) == (True, (), 60, T0)


def test_what_was_never_checked_is_a_no() -> None:  # I6
    assert reasons(asked(Standing(account="main"))) == [Why.NEVER_CHECKED]
    assert asked(Standing(account="main")).age_seconds is None


@pytest.mark.parametrize("age, may", [(MAX_AGE, True), (MAX_AGE + timedelta(microseconds=1), False)])
def test_a_check_counts_up_to_its_age_and_no_longer(age: timedelta, may: bool) -> None:
    assert asked(after=age).may_trade is may


@pytest.mark.parametrize("ahead, may", [(60, True), (61, False)])
def test_a_check_from_the_future_is_none(ahead: int, may: bool) -> None:
    assert asked(after=timedelta(seconds=-ahead)).may_trade is may


def test_whoever_asks_may_want_a_younger_check() -> None:
    assert reasons(asked(after=timedelta(seconds=31), max_age=timedelta(seconds=30))) == [Why.TOO_OLD]


@pytest.mark.parametrize(
    "status, verdict, why",
    [
        ("failed", "incomplete", Why.LAST_RUN_FAILED),
        ("partial", "incomplete", Why.LAST_RUN_INCOMPLETE),
    ],
)
def test_a_failed_or_incomplete_last_run_is_a_no_however_good_the_one_before_was(
    status: str, verdict: str, why: Why
) -> None:
    last = replace(GOOD, status=status, verdict=verdict)
    assert reasons(asked(replace(SOUND, last=last))) == [why]


@pytest.mark.parametrize("verdict", ["discrepancies", "pending"])
def test_what_is_small_or_in_motion_does_not_stop_trading(verdict: str) -> None:
    last = replace(GOOD, status="partial", verdict=verdict)
    assert asked(replace(SOUND, last=last, good=last)).may_trade


@pytest.mark.parametrize("asset, may", [("XRP", False), ("USD", False), ("BTC", True), ("?XFOO", False)])
def test_a_severe_discrepancy_stops_the_instruments_that_it_touches(asset: str, may: bool) -> None:
    assert asked(replace(SOUND, severe=(open_on(asset),))).may_trade is may


def test_more_severe_ones_than_anybody_looks_at_stop_every_instrument() -> None:
    assert reasons(asked(replace(SOUND, severe=(open_on("BTC"),), and_more=True))) == [Why.DISCREPANCY]


def test_a_fill_that_is_missing_touches_both_assets_of_its_instrument() -> None:
    made = compare(internal(), exchange(fill("TX")))
    run = run_of(made, since=T0 - timedelta(days=1))
    opened = carry_forward((), made.findings, made.discrepancies, run=run, policy=Policy()).opened
    (one,) = [each for each in opened if each.key.kind == "fills"]
    assert touches(one, [Asset("XRP"), Asset("EUR")])
    assert touches(one, [Asset("BTC"), Asset("USD")])
    assert not touches(one, [Asset("BTC"), Asset("EUR")])


def test_a_record_that_stops_trading_is_told_with_what_it_trades() -> None:
    made = compare(internal(), exchange(fill("TX")))
    run = run_of(made, since=T0 - timedelta(days=1))
    opened = carry_forward((), made.findings, made.discrepancies, run=run, policy=Policy()).opened
    (one,) = [each for each in opened if each.key.kind == "fills"]
    (why,) = asked(replace(SOUND, severe=(one,))).because
    assert " on XRP/USD TX since " in why.text
    assert why.text.endswith(f"review {one.id}")


def test_an_asset_that_the_last_check_did_not_see_is_a_no_unless_it_is_said_to_be_new() -> None:
    wrong_name = Instrument("XBT/USD")
    assert reasons(asked(instrument=wrong_name)) == [Why.NOT_SEEN]
    assert asked(instrument=wrong_name, first=True).may_trade


@pytest.mark.parametrize("name", ["BTC", "", "BTC/", "/USD", "?XXBTZUSD"])
def test_a_name_that_does_not_tell_what_is_traded_is_a_no(name: str) -> None:
    assert reasons(asked(instrument=Instrument(name))) == [Why.UNKNOWN_INSTRUMENT]


def test_an_adjustment_of_unknown_outcome_is_a_no() -> None:
    assert reasons(asked(replace(SOUND, unknown=("adj_1",)))) == [Why.OUTCOME_UNKNOWN]


@pytest.mark.parametrize(
    "standing, may",
    [
        (replace(SOUND, discrepancies=100), True),
        (replace(SOUND, discrepancies=101), False),
        (replace(SOUND, flips=2), True),
        (replace(SOUND, flips=3), False),
        (replace(SOUND, unverified=("adj_1",)), False),
    ],
)
def test_a_tripped_breaker_is_a_no(standing: Standing, may: bool) -> None:
    answer = asked(standing)
    assert answer.may_trade is may
    assert may or reasons(answer) == [Why.BREAKER]


def test_every_reason_is_told_at_once() -> None:
    everything = replace(SOUND, severe=(open_on("XRP"),), unknown=("adj_1",), flips=3)
    assert reasons(asked(everything, after=timedelta(days=1))) == [
        Why.TOO_OLD,
        Why.DISCREPANCY,
        Why.BREAKER,
        Why.OUTCOME_UNKNOWN,
    ]
