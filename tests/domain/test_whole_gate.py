"""Every reason against trading, whole: what it says, what it is about, and which instruments it stops."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.discrepancy import PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.finding import DiscrepancyType, Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.gate import SEVERE, Against, Check, Gate, Standing, Why, touches
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from tests.domain.build import T0, D, at
from tests.domain.test_gate import SOUND, asked, open_on

ASK = "ask for a run: POST /api/reconciliation/run"


def against(standing: Standing = SOUND, **more: Any) -> tuple[Against, ...]:
    answer = asked(standing, **more)
    assert answer.may_trade is not bool(answer.because)
    return answer.because


def record(about: str, kind: Kind = Kind.MOVEMENTS, name: str = "L1", type_: str = "movement_missing_internal") -> Any:
    """Return an open discrepancy of a record that is about this instrument or asset."""
    latest = RecordDiscrepancy(
        id="dis_1",
        key=f"{kind}:{name}",
        record_id=name,
        about=about,
        type=DiscrepancyType(type_),
        field="quantity",
        severity=Severity.HIGH,
    )
    return replace(open_on("BTC"), id="dis_1", key=Key(kind, name), type=latest.type, since=at(-5), latest=latest)


def position_on(instrument: str) -> Followed:
    latest = PositionDiscrepancy(
        id="dis_2",
        key=f"positions:{instrument}:net",
        trading_pair=instrument,
        mode="net",
        type=DiscrepancyType.POSITION_MISSING_EXCHANGE,
        internal=D(1),
        exchange=D(0),
        difference=D(-1),
        severity=Severity.CRITICAL,
    )
    key = Key(Kind.POSITIONS, instrument, "net")
    return replace(open_on("BTC"), id="dis_2", key=key, type=latest.type, latest=latest)


def test_the_answer_says_what_was_asked_and_how_old_the_check_is() -> None:
    assert asked() == Gate(
        account="main",
        instrument="XRP/USD",
        may_trade=True,
        because=(),
        checked_at=T0,
        age_seconds=60,
        max_age_seconds=5400,
    )
    ahead = asked(after=timedelta(seconds=-1), max_age=timedelta(seconds=90.9))
    assert (ahead.may_trade, ahead.age_seconds, ahead.max_age_seconds) == (True, 0, 90)
    never = asked(replace(SOUND, good=None, last=None))
    assert (never.checked_at, never.age_seconds, never.may_trade) == (None, None, False)


NEVER = Against(
    Why.NEVER_CHECKED, "no run has seen the whole account yet; ask for one: POST /api/reconciliation/run", ""
)
FAILED = Against(Why.LAST_RUN_FAILED, "the last run failed; look at its report", "rec_9")
INCOMPLETE = Against(Why.LAST_RUN_INCOMPLETE, "the last run could not check everything; look at its report", "rec_9")


def last(status: str, verdict: str) -> Check:
    return Check(reconciliation_id="rec_9", at=at(1), status=status, verdict=verdict, assets=frozenset())


@pytest.mark.parametrize(
    "standing, expected",
    [
        (replace(SOUND, last=None), []),
        (replace(SOUND, last=None, good=None), [NEVER]),
        (replace(SOUND, last=last("failed", "incomplete")), [FAILED]),
        (replace(SOUND, last=last("failed", "reconciled")), [FAILED]),
        (replace(SOUND, last=last("partial", "incomplete")), [INCOMPLETE]),
        (replace(SOUND, last=last("partial", "incomplete"), good=None), [INCOMPLETE, NEVER]),
        (replace(SOUND, last=last("success", "discrepancies")), []),
    ],
)
def test_what_the_runs_say_against_it_names_the_run(standing: Standing, expected: list[Against]) -> None:
    assert list(against(standing)) == expected


def test_a_check_that_is_too_old_or_ahead_is_told_with_its_instant() -> None:
    (old,) = against(after=timedelta(minutes=90, seconds=1))
    assert old == Against(Why.TOO_OLD, f"the last good check is of 2026-01-31 12:00:00 UTC; {ASK}", "rec_1")
    assert against(after=timedelta(seconds=-61)) == (old,)


def test_what_a_name_does_not_tell_and_what_nobody_saw_is_told_with_the_way_out() -> None:
    unknown = "'?XXBTZUSD' does not tell what is traded; write it as BASE/QUOTE, such as BTC/USD"
    for first in (True, False):
        named = against(instrument=Instrument("?XXBTZUSD"), first=first)
        assert named == (Against(Why.UNKNOWN_INSTRUMENT, unknown, ""),)
    told = "the last check saw no {} on either side; if it is new to the account, ask with first=true"
    unseen = [Against(Why.NOT_SEEN, told.format(name), "rec_1") for name in ("ETH", "EUR")]
    assert list(against(instrument=Instrument("ETH/EUR"))) == unseen
    assert against(instrument=Instrument("ETH/EUR"), first=True) == ()
    # Where no run saw anything, that alone is told.
    assert against(replace(SOUND, good=None), instrument=Instrument("ETH/EUR")) == (NEVER,)


@pytest.mark.parametrize(
    "one, text",
    [
        (open_on("XRP"), "critical balance_mismatch on XRP since 2026-01-31 12:00:00 UTC; review {}"),
        (
            position_on("XRP/USD"),
            "critical position_missing_exchange on XRP/USD since 2026-01-31 12:00:00 UTC; review {}",
        ),
        (record("XRP"), "high movement_missing_internal on XRP L1 since 2026-01-31 11:55:00 UTC; review {}"),
        (record("L1"), "high movement_missing_internal on L1 since 2026-01-31 11:55:00 UTC; review {}"),
        (record(""), "high movement_missing_internal on L1 since 2026-01-31 11:55:00 UTC; review {}"),
        (
            record("XRP/USD", Kind.ORDERS, "", "order_state_mismatch"),
            "high order_state_mismatch on XRP/USD orders since 2026-01-31 11:55:00 UTC; review {}",
        ),
    ],
)
def test_a_discrepancy_that_stops_trading_says_what_it_is_on_and_since_when(one: Followed, text: str) -> None:
    name = one.latest.about if isinstance(one.latest, RecordDiscrepancy) and one.latest.about == "L1" else ""
    instrument = Instrument(f"{name or 'XRP'}/USD")
    expected = Against(Why.DISCREPANCY, text.format(one.id), one.id)
    assert against(replace(SOUND, severe=(one,)), instrument=instrument, first=True) == (expected,)


@pytest.mark.parametrize(
    "one, with_it, without_it",
    [
        (open_on("XRP"), "XRP/USD BTC/XRP", "BTC/USD"),
        (open_on("?XFOO"), "XRP/USD BTC/USD", ""),
        (position_on("XRP/USD"), "XRP/EUR BTC/USD USD/EUR", "BTC/EUR"),
        (position_on("?XFOOZUSD"), "XRP/USD BTC/EUR", ""),
        (record("XRP"), "XRP/USD BTC/XRP", "BTC/USD BTC/EUR"),
        (record("?XFOO"), "XRP/USD BTC/EUR", ""),
        (record(""), "XRP/USD BTC/EUR", ""),
        (record("XRP/USD"), "XRP/EUR BTC/USD", "BTC/EUR"),
        (record("?XFOO/USD"), "XRP/USD BTC/EUR", ""),
    ],
    ids=lambda it: it if isinstance(it, str) else getattr(it.latest, "about", it.key.name) or "nothing",
)
def test_what_is_about_one_asset_stops_the_instruments_with_it_and_no_other(
    one: Followed, with_it: str, without_it: str
) -> None:
    def stops(instrument: str) -> bool:
        standing = replace(SOUND, severe=(one,))
        told = [each.why for each in against(standing, instrument=Instrument(instrument), first=True)]
        assert touches(one, [Asset(name) for name in instrument.split("/")]) is bool(told)
        assert told in ([], [Why.DISCREPANCY])
        return bool(told)

    assert [name for name in f"{with_it} {without_it}".split() if stops(name)] == with_it.split()


def test_whatever_is_severe_stops_an_instrument_that_nobody_knows() -> None:
    told = against(replace(SOUND, severe=(open_on("BTC"), record("ETH"))), instrument=Instrument("?"))
    assert [each.why for each in told] == [Why.UNKNOWN_INSTRUMENT, Why.DISCREPANCY, Why.DISCREPANCY]


def test_more_severe_ones_than_anybody_looks_at_are_one_reason_with_their_number() -> None:
    many = replace(SOUND, severe=(open_on("BTC"), open_on("XRP")), and_more=True)
    assert against(many) == (Against(Why.DISCREPANCY, "more than 2 severe ones are open; review them", ""),)


def test_what_stands_against_corrections_and_adjustments_that_nobody_knows_of_stops_trading() -> None:
    tripped = replace(SOUND, discrepancies=4, flips=2, unverified=("adj_2", "adj_3"), unknown=("adj_4", "adj_5"))
    policy = Policy(breaker_discrepancies=3, breaker_flips=2)
    stopped = "corrections stopped: "
    unknown = "nobody knows whether adjustment {} is in the book; the next run looks it up"
    assert against(tripped, policy=policy) == (
        Against(Why.BREAKER, f"{stopped}4 discrepancies at once (breaker_discrepancies); a person has to look", ""),
        Against(Why.BREAKER, f"{stopped}a discrepancy came back 2 times (breaker_flips); a person has to look", ""),
        Against(Why.BREAKER, f"{stopped}after adj_2 a difference was still seen; a person has to look", ""),
        Against(Why.OUTCOME_UNKNOWN, unknown.format("adj_4"), "adj_4"),
        Against(Why.OUTCOME_UNKNOWN, unknown.format("adj_5"), "adj_5"),
    )


def test_high_and_critical_are_severe() -> None:
    assert SEVERE == (Severity.HIGH, Severity.CRITICAL)
