"""Discrepancies, whole: what each finding is called, valued and graded as, and what a run makes of it over time."""

from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import (
    NOT_KNOWN,
    BalanceDiscrepancy,
    Discrepancy,
    Grader,
    PositionDiscrepancy,
    RecordDiscrepancy,
    Why,
    discrepancies_of,
    stake_assets,
)
from gal_friday.domain.explanation import Divergence, Explanation, Item
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
    Stake,
    TextMismatch,
)
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.following import HISTORY_MAX, MARGIN, Carried, Run, carry_forward, gone
from gal_friday.domain.ids import discrepancy_id
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from tests.domain.build import T0, D, at

Type = DiscrepancyType
BTC, HOLD = Key(Kind.BALANCES, "BTC", "spot"), Key(Kind.HOLDS, "BTC")
LOT, TX, ORDER = Key(Kind.POSITIONS, "XRP/USD", "net"), Key(Kind.FILLS, "TX"), Key(Kind.ORDERS, "OX")
PRICES = {Asset("BTC"): D(100), Asset("USD"): D(1)}
GRADER = Grader("main", "kraken", Policy(), PRICES, T0)
BRIDGE = Explanation(D(2), D(5), (Item(Cause.REWARD, D(3), ("L1",), "L1"),), D(0), Cause.UNEXPLAINED, proven=True)
WHY = Why("reward", "a reward", BRIDGE)


def found(finding: Finding, why: Why = NOT_KNOWN) -> list[Discrepancy]:
    return list(discrepancies_of(finding, GRADER, why))


def name_of(key: Key, type_: Type, field: str, side: str = "") -> str:
    return discrepancy_id("main", "kraken", key.kind, key.name, key.part, type_, field, side)


def amounts(type_: Type, field: str, ours: str, theirs: str, stake: Stake | None = None) -> AmountMismatch:
    return AmountMismatch(type_, field, D(ours), D(theirs), D(theirs) - D(ours), stake)


def worth(amount: str, asset: str = "BTC") -> Stake:
    return Stake(D(amount), Asset(asset))


OFF = BalanceDiscrepancy(
    id=name_of(BTC, Type.BALANCE_MISMATCH, "total"),
    key="balances:BTC:spot",
    currency="BTC",
    wallet="spot",
    type=Type.BALANCE_MISMATCH,
    internal=D(2),
    exchange=D(5),
    difference=D(3),
    severity=Severity.CRITICAL,
    value=D(300),
    missing_on=None,
    state="suspected",
    cause=None,
    explanation=None,
    bridge=None,
    age_seconds=None,
    occurrences=1,
)


def test_a_balance_on_which_the_sides_differ_is_told_whole() -> None:
    finding = Differs(BTC, (amounts(Type.BALANCE_MISMATCH, "total", "2", "5", worth("3")),), "BTC", at(-30))
    assert found(finding) == [OFF]
    assert found(finding, WHY) == [replace(OFF, cause="reward", explanation="a reward", bridge=BRIDGE)]


@pytest.mark.parametrize("key, wallet, type_, field", [
    (BTC, "spot", Type.BALANCE_MISMATCH, "total"),
    (HOLD, "", Type.HOLD_MISMATCH, "held"),
])  # fmt: skip
def test_a_balance_or_a_hold_on_one_side_alone_says_which_lacks_it(
    key: Key, wallet: str, type_: Type, field: str
) -> None:
    shared = replace(OFF, id=name_of(key, type_, field), key=str(key), wallet=wallet, type=type_)
    ours = replace(shared, internal=D(3), exchange=D(0), difference=D(-3), missing_on="exchange", explanation="so")
    assert found(InternalOnly(key, type_, D(3), "BTC", worth("-3")), Why(None, "so")) == [ours]
    theirs = replace(shared, internal=D(0), exchange=D(3), difference=D(3), missing_on="internal", cause="reward")
    assert found(ExchangeOnly(key, type_, D(3), "BTC", worth("3")), Why("reward")) == [theirs]


POSITION = PositionDiscrepancy(
    id=name_of(LOT, Type.QUANTITY_MISMATCH, "quantity"),
    key="positions:XRP/USD:net",
    trading_pair="XRP/USD",
    mode="net",
    type=Type.QUANTITY_MISMATCH,
    internal=D(2),
    exchange=D(-5),
    difference=D(-7),
    severity=Severity.CRITICAL,
    value=D(7),
)


def test_a_position_is_told_whole_and_has_a_floor_where_one_side_lacks_it() -> None:
    finding = Differs(LOT, (amounts(Type.QUANTITY_MISMATCH, "quantity", "2", "-5", worth("-7", "USD")),))
    assert found(finding) == [POSITION]
    known = replace(POSITION, cause="reward", explanation="a reward", bridge=BRIDGE)
    assert found(finding, WHY) == [known]
    ours, theirs = Type.POSITION_MISSING_EXCHANGE, Type.POSITION_MISSING_INTERNAL
    lack = replace(POSITION, id=name_of(LOT, ours, "quantity"), type=ours, exchange=D(0), difference=D(-2), value=None)
    assert found(InternalOnly(LOT, ours, D(2), "XRP/USD")) == [lack]
    back = replace(lack, id=name_of(LOT, theirs, "quantity"), type=theirs, internal=D(0), exchange=D(2))
    assert found(ExchangeOnly(LOT, theirs, D(2), "XRP/USD")) == [replace(back, difference=D(2), severity=Severity.HIGH)]


RECORD = RecordDiscrepancy(
    id=name_of(TX, Type.FILL_MISMATCH, "price"),
    key="fills:TX",
    record_id="TX",
    about="XRP/USD",
    type=Type.FILL_MISMATCH,
    field="price",
    internal="2",
    exchange="5.5",
    difference=D("3.5"),
    side=None,
    severity=Severity.MEDIUM,
    value=None,
    state="suspected",
    cause=None,
    explanation=None,
    age_seconds=1800,
    occurrences=1,
)


def test_a_record_is_told_whole_field_by_field() -> None:
    texts = TextMismatch(Type.FILL_MISMATCH, "side", "buy", "sell", worth("3"))
    finding = Differs(TX, (amounts(Type.FILL_MISMATCH, "price", "2", "5.5"), texts), "XRP/USD", at(-30))
    said = replace(
        RECORD,
        id=name_of(TX, Type.FILL_MISMATCH, "side"),
        field="side",
        internal="buy",
        exchange="sell",
        difference=None,
        value=D(300),
        severity=Severity.HIGH,
    )
    assert found(finding) == [RECORD, said]
    known = Why("wrong_amount", "the decimal point is shifted")
    told = {"cause": "wrong_amount", "explanation": "the decimal point is shifted"}
    assert found(finding, known) == [replace(one, **told) for one in (RECORD, said)]
    # A bridge explains an amount, and nothing that a record says.
    assert found(finding, WHY) == [RECORD, said]
    assert [one.age_seconds for one in found(replace(finding, at=None))] == [None, None]
    assert [one.age_seconds for one in found(replace(finding, at=at(1)))] == [0, 0]


def test_a_record_on_one_side_alone_says_what_that_side_has() -> None:
    missing, more = Type.FILL_MISSING_EXCHANGE, Type.FILL_MISSING_INTERNAL
    twice = Inconsistent(Type.FILL_DUPLICATED, "internal", "entries", "2", "1", "XRP/USD", worth("0.05"))
    ours = replace(
        RECORD, id=name_of(TX, missing, "quantity"), type=missing, field="quantity", internal="4", exchange=None,
        difference=D(-4),
    )  # fmt: skip
    doubled = replace(
        RECORD, id=name_of(TX, Type.FILL_DUPLICATED, "entries", "internal"), type=Type.FILL_DUPLICATED,
        field="entries", internal="2 against 1", exchange=None, difference=None, side="internal", value=D(5),
        severity=Severity.LOW,
    )  # fmt: skip
    finding = InternalOnly(TX, missing, D(4), "XRP/USD", None, at(-30), (twice,))
    assert found(finding, WHY) == [ours, doubled]
    theirs = replace(
        ours, id=name_of(TX, more, "quantity"), type=more, internal=None, exchange="4", difference=D(4),
        value=D(1), severity=Severity.LOW,
    )  # fmt: skip
    other = replace(twice, side="exchange", about="XRP", stake=None)
    conflict = replace(
        doubled, id=name_of(TX, Type.FILL_DUPLICATED, "entries", "exchange"), about="XRP", internal=None,
        exchange="2 against 1", side="exchange", value=None, severity=Severity.MEDIUM,
    )  # fmt: skip
    back = ExchangeOnly(TX, more, D(4), "XRP/USD", worth("1", "USD"), at(-30), (other,))
    assert found(back) == [theirs, conflict]


@pytest.mark.parametrize("finding", [Agrees(BTC), Pending(BTC, "moving"), CannotTell(BTC, "not read")])
def test_what_does_not_differ_is_no_discrepancy_and_has_nothing_at_stake(finding: Finding) -> None:
    assert (found(finding), list(stake_assets(finding))) == ([], [])


def test_what_is_at_stake_is_told_of_the_record_and_of_its_repeats() -> None:
    twice = Inconsistent(Type.FILL_DUPLICATED, "internal", "entries", "2", "1", "XRP/USD", worth("2"))
    repeats = (twice, replace(twice, stake=None))
    for finding in (
        InternalOnly(TX, Type.FILL_MISSING_EXCHANGE, D(1), "", worth("1"), None, repeats),
        ExchangeOnly(TX, Type.FILL_MISSING_INTERNAL, D(1), "", worth("1"), None, repeats),
        Differs(TX, (amounts(Type.FILL_MISMATCH, "price", "1", "2", worth("1")), *repeats)),
    ):
        assert list(stake_assets(finding)) == [worth("1"), worth("2")]
    assert list(stake_assets(InternalOnly(TX, Type.FILL_MISSING_EXCHANGE, D(1)))) == []


# --- over time --------------------------------------------------------------------------------------------------

DIFFERS = Differs(BTC, (amounts(Type.BALANCE_MISMATCH, "total", "2", "5", worth("3")),), "BTC")


def carried(
    known: list[Followed], finding: Finding, minute: float = 0, seen: list[Discrepancy] | None = None, **run: Any
) -> Carried:
    now = at(minute)
    told = seen if seen is not None else list(discrepancies_of(finding, replace(GRADER, now=now)))
    terms: dict[str, Any] = {"account": "main", "exchange": "kraken", "now": now, "since": at(-600)} | run
    return carry_forward(known, [finding], told, run=Run(**terms), policy=Policy())


FIRST = Followed(
    id=OFF.id,
    account="main",
    exchange="kraken",
    key=BTC,
    type=Type.BALANCE_MISMATCH,
    state="suspected",
    first_seen=T0,
    last_seen=T0,
    opened_at=T0,
    since=T0,
    read_from=None,
    confirmed_at=None,
    cleared_at=None,
    occurrences=1,
    clean_observations=1,
    flips=0,
    largest_value=D(300),
    changes=1,
    history=(Change(1, T0, "opened", "suspected", "book 2, exchange 5"),),
    revision=1,
    latest=OFF,
)


def test_what_is_seen_for_the_first_time_is_kept_whole() -> None:
    assert carried([], DIFFERS) == Carried(at=T0, opened=(FIRST,))
    proven = carried([], DIFFERS, proven=frozenset({OFF.id}))
    history = (*FIRST.history, Change(2, T0, "confirmed", "confirmed", "proven"))
    sure: dict[str, Any] = {"state": "confirmed", "confirmed_at": T0, "changes": 2, "history": history}
    assert proven.opened == (replace(FIRST, **sure, latest=replace(OFF, state="confirmed")),)


def test_what_is_seen_again_is_kept_whole_confirmed_cleared_and_back() -> None:
    again = carried([FIRST], DIFFERS, 1)
    (still,) = again.still_open
    second = replace(OFF, age_seconds=60, occurrences=2)
    counted: dict[str, Any] = {"last_seen": at(1), "occurrences": 2, "clean_observations": 2, "revision": 2}
    assert still == replace(FIRST, **counted, latest=second)
    assert (again.written, again.open, again.changes_of(still)) == ((still,), (still,), ())

    third = carried([still], DIFFERS, 2)
    (sure,) = third.confirmed
    confirmed = Change(2, at(2), "confirmed", "confirmed", "seen 3 times")
    counted = {"last_seen": at(2), "occurrences": 3, "clean_observations": 3, "revision": 3}
    counted |= {"state": "confirmed", "confirmed_at": at(2), "changes": 2, "history": (*FIRST.history, confirmed)}
    assert sure == replace(FIRST, **counted, latest=replace(OFF, state="confirmed", age_seconds=120, occurrences=3))
    assert third.changes_of(sure) == (confirmed,)

    (cleared,) = carried([sure], Agrees(BTC), 3).cleared
    agreed = Change(3, at(3), "cleared", "cleared", "both sides agree")
    assert cleared == replace(
        sure,
        state="cleared",
        cleared_at=at(3),
        clean_observations=0,
        revision=4,
        changes=3,
        history=(*sure.history, agreed),
        latest=replace(sure.latest, state="cleared", age_seconds=180),
    )
    assert (cleared.is_open, cleared.judged_at, sure.judged_at) == (False, at(3), at(2))

    (back,) = carried([cleared], DIFFERS, 5).reopened
    reopened = Change(4, at(5), "reopened", "suspected", "book 2, exchange 5")
    assert back == replace(
        cleared,
        state="suspected",
        last_seen=at(5),
        opened_at=at(5),
        since=at(5),
        confirmed_at=None,
        cleared_at=None,
        occurrences=4,
        clean_observations=1,
        flips=1,
        revision=5,
        changes=4,
        history=(*cleared.history, reopened),
        latest=replace(OFF, occurrences=4),
    )


@pytest.mark.parametrize(
    "finding, kind, said",
    [
        (Agrees(BTC), Type.BALANCE_MISMATCH, "both sides agree"),
        (Agrees(BTC), Type.COST_BASIS_MISMATCH, "both sides agree"),
        (DIFFERS, Type.SIDE_MISMATCH, "it differs in another way now"),
        (DIFFERS, None, "it differs in another way now"),
        (DIFFERS, Type.COST_BASIS_MISMATCH, ""),
        (InternalOnly(BTC, Type.BALANCE_MISMATCH, D(1)), Type.SIDE_MISMATCH, "it differs in another way now"),
        (ExchangeOnly(BTC, Type.BALANCE_MISMATCH, D(1)), Type.SIDE_MISMATCH, "it differs in another way now"),
        (ExchangeOnly(BTC, Type.BALANCE_MISMATCH, D(1)), Type.COST_BASIS_MISMATCH, ""),
        (Pending(BTC, "moving"), Type.BALANCE_MISMATCH, ""),
        (CannotTell(BTC, "not read"), Type.BALANCE_MISMATCH, ""),
        (None, Type.BALANCE_MISMATCH, ""),
    ],
)
def test_how_what_is_not_seen_any_more_was_seen_to_be_gone(
    finding: Finding | None, kind: Type | None, said: str
) -> None:  # I7
    assert gone(finding, kind) == said


@pytest.mark.parametrize(
    "finding, said",
    [
        (DIFFERS, "book 2, exchange 5"),
        (Differs(TX, (amounts(Type.FILL_MISMATCH, "price", "2.50", "5"),)), "price: book 2.5, exchange 5"),
        (
            Differs(ORDER, (TextMismatch(Type.ORDER_STATE_MISMATCH, "status", "open", "1.50"),)),
            "status: book open, exchange 1.50",
        ),
        (ExchangeOnly(TX, Type.FILL_MISSING_INTERNAL, D("4.0")), "quantity: book nothing, exchange 4"),
        (InternalOnly(TX, Type.FILL_MISSING_EXCHANGE, D(4)), "quantity: book 4, exchange nothing"),
        (
            Differs(TX, (Inconsistent(Type.FILL_DUPLICATED, "internal", "entries", "2", "1"),)),
            "entries: 2 against 1",
        ),
        (
            Differs(TX, (Inconsistent(Type.FILL_DUPLICATED, "exchange", "entries", "3", "1"),)),
            "entries: 3 against 1",
        ),
    ],
)
def test_what_both_sides_say_is_kept_in_one_line(finding: Finding, said: str) -> None:
    (one,) = carried([], finding).opened
    assert one.history == (Change(1, T0, "opened", "suspected", said),)
    assert HISTORY_MAX == 32


@pytest.mark.parametrize(
    "finding, since, read_from",
    [
        (ExchangeOnly(TX, Type.FILL_MISSING_INTERNAL, D(1), at=at(-30)), at(-600), at(-30) - MARGIN),
        (ExchangeOnly(TX, Type.FILL_MISSING_INTERNAL, D(1), at=at(-600)), at(-600), at(-600)),
        (ExchangeOnly(TX, Type.FILL_MISSING_INTERNAL, D(1), at=at(-30)), None, None),
        (ExchangeOnly(TX, Type.FILL_MISSING_INTERNAL, D(1)), at(-600), at(-600)),
        (Differs(TX, (amounts(Type.FILL_MISMATCH, "price", "1", "2"),), at=at(-30)), at(-600), at(-600)),
        (DIFFERS, at(-600), None),
        (InternalOnly(HOLD, Type.HOLD_MISMATCH, D(1), at=at(-30)), at(-600), None),
        (InternalOnly(LOT, Type.POSITION_MISSING_EXCHANGE, D(1), at=at(-30)), at(-600), None),
    ],
)
def test_from_when_on_records_must_be_read_to_judge_it(finding: Finding, since: Any, read_from: Any) -> None:
    (one,) = carried([], finding, since=since).opened
    assert one.read_from == read_from
    gone_again = replace(one, state="cleared", cleared_at=at(1), read_from=at(-5))
    (back,) = carried([gone_again], finding, 2, since=since).reopened
    assert back.read_from == read_from


def test_an_amount_ages_from_where_the_running_balances_parted_or_from_its_first_record() -> None:
    parted = replace(BRIDGE, divergence=Divergence("L0", "L1", D(3), at(-20)))
    off = replace(OFF, bridge=parted)
    assert [one.since for one in carried([], DIFFERS, seen=[off]).opened] == [at(-20)]
    # Without that, from the first of its records: here nobody saw when it was.
    assert [one.since for one in carried([], DIFFERS, seen=[replace(OFF, bridge=BRIDGE)]).opened] == [T0]
    aged = replace(OFF, age_seconds=90)
    assert [one.since for one in carried([], DIFFERS, seen=[aged]).opened] == [at(-1.5)]
