"""What cannot be judged, yet or at all, whole: the reason in words, whose records were missing, and until when."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.cut import Motion
from gal_friday.domain.errors import MixedAccounts, MixedSides
from gal_friday.domain.finding import (
    Agrees,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    Key,
    Pending,
    TextMismatch,
)
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, NotChecked, Snapshot
from tests.domain.build import (
    ALL,
    D,
    at,
    balance,
    covering,
    exchange,
    fill,
    found,
    internal,
    movement,
    order,
    position,
    since,
    stake,
)

Type = DiscrepancyType
GRACE = timedelta(minutes=2)
STILL = Motion(frozenset(), frozenset(), frozenset(), GRACE)
BTC, PAIR = Asset("BTC"), Instrument("XRP/USD")
BALANCE, POSITION, HOLD = (
    Key(Kind.BALANCES, "BTC", "spot"),
    Key(Kind.POSITIONS, "XRP/USD", "net"),
    Key(Kind.HOLDS, "BTC"),
)
ORDER, FILL, ROW, LEG = (
    Key(Kind.ORDERS, "OX"),
    Key(Kind.FILLS, "TX"),
    Key(Kind.MOVEMENTS, "L1"),
    Key(Kind.MOVEMENTS, "TX", "XRP:spot"),
)
MOVING = replace(
    STILL,
    assets=frozenset({BTC}),
    instruments=frozenset({PAIR}),
    held=frozenset({BTC}),
    orders=frozenset({"OX"}),
    newest={"BTC": at(-1), "XRP/USD": at(-1), "OX": at(-1)},
)
NEXT = "the next run will tell"
WHILE_READ = f"while the two sides were read; {NEXT}"
LEFT = (internal(order()), exchange(order(status="canceled")))
UNSURE = "which nobody could resolve and which may be it"
NEW = "newer than the reading of the {} side, which began 2026-01-31 12:00:00 UTC"
YOUNG = "so young that it may not have reached the {} side, read 2026-01-31 12:00:00 UTC"


def findings(ours: object, theirs: object, **more: Any) -> list[Finding]:
    return list(found(ours, theirs, **more).values())


@pytest.mark.parametrize(
    "key, ours, theirs, reason, until",
    [
        (ROW, [], movement(minute=-1), YOUNG.format("internal"), at(1)),
        (ROW, movement(kind="deposit", minute=-1), [], YOUNG.format("exchange"), at(1)),
        (ROW, movement(kind="deposit", minute=1), [], NEW.format("exchange"), at(3)),
        (FILL, [], fill(minute=0.5, order_id=None), NEW.format("internal"), at(2.5)),
        (ORDER, order(opened=-1), [], YOUNG.format("exchange"), at(1)),
        (ORDER, order(opened=None, updated=-1), [], YOUNG.format("exchange"), at(1)),
        (FILL, fill(minute=-1, order_id=None), fill(quantity="41", minute=-1, order_id=None),
         "so young that its fee may not be booked yet", at(1)),
        (LEG, movement("A", refers_to="TX", minute=-1), movement("B", "41", refers_to="TX", minute=-3),
         f"rows of it are newer than the other side's reading; {NEXT}", at(1)),
        (LEG, movement("A", refers_to="TX", minute=-3), movement("B", "41", refers_to="TX", minute=-1),
         f"rows of it are newer than the other side's reading; {NEXT}", at(1)),
        (ORDER, order(updated=-1), order(status="canceled"), f"changed {WHILE_READ}", None),
        (ORDER, order(), order(status="canceled", updated=-1), f"changed {WHILE_READ}", None),
    ],
)  # fmt: skip
def test_what_is_too_young_waits_until_the_grace_is_over(
    key: Key, ours: object, theirs: object, reason: str, until: Any
) -> None:
    assert findings(ours, theirs, motion=STILL) == [Pending(key, reason, until)]


@pytest.mark.parametrize("make", [lambda at: movement(kind="deposit", minute=at), lambda at: fill(minute=at)])
def test_at_the_end_of_the_grace_nothing_waits_any_more(make: Any) -> None:
    assert [type(one) for one in findings([], make(-2), motion=STILL)] == [ExchangeOnly]
    assert [type(one) for one in findings([], make(-1.999), motion=STILL)] == [Pending]


def test_without_a_grace_nobody_says_until_when() -> None:
    assert findings(movement(kind="deposit", minute=1), []) == [Pending(ROW, NEW.format("exchange"), None)]


@pytest.mark.parametrize(
    "key, ours, theirs, reason",
    [
        (BALANCE, balance("BTC", "1"), balance("BTC", "2"), f"BTC moved {WHILE_READ}"),
        (BALANCE, balance("BTC", "1"), [], f"BTC moved {WHILE_READ}"),
        (BALANCE, [], balance("BTC", "1"), f"BTC moved {WHILE_READ}"),
        (POSITION, position("1"), position("2"), f"XRP/USD was traded {WHILE_READ}"),
        (POSITION, position("1"), [], f"XRP/USD was traded {WHILE_READ}"),
        (ORDER, order(), order(status="canceled"), f"changed {WHILE_READ}"),
    ],
)
def test_what_is_in_motion_waits_for_what_moved_last(key: Key, ours: object, theirs: object, reason: str) -> None:
    assert findings(ours, theirs, motion=MOVING) == [Pending(key, reason, at(1))]


def test_a_hold_in_motion_waits_alone() -> None:
    held = replace(STILL, held=frozenset({BTC}))
    assert findings(balance("BTC", "1", "0.2"), balance("BTC", "1", "0.3"), motion=held) == [
        Agrees(BALANCE, D("1")),
        Pending(HOLD, f"BTC moved {WHILE_READ}"),
    ]


def test_what_moved_in_every_run_cannot_be_told() -> None:
    ripe = replace(MOVING, ripe=frozenset({BALANCE}))
    reason = (
        "BTC moved in every one of the last runs, and a side does not list what moved it; run again at a quieter time"
    )
    assert findings(balance("BTC", "1"), balance("BTC", "2"), motion=ripe) == [CannotTell(BALANCE, reason)]


@pytest.mark.parametrize(
    "key, row",
    [(BALANCE, balance("BTC", "1")), (POSITION, position("1")), (ORDER, order()), (FILL, fill()), (ROW, movement())],
)
def test_absence_says_nothing_where_a_side_did_not_see_all_of_a_kind(key: Key, row: object) -> None:  # I5
    def said(side: str, how: str) -> str:
        return f"the {side} snapshot covers {key.kind} {how}"

    part, none = covering(key.kind, Coverage.PARTIAL), covering(key.kind, Coverage.NONE)
    kinds = [key.kind]
    for coverage, how in ((part, "only in part"), (none, "not at all")):
        theirs = findings(row, exchange(coverage=coverage), only=kinds)
        assert theirs == [CannotTell(key, said("exchange", how), "exchange")]
        ours = findings(internal(coverage=coverage), row, only=kinds)
        assert ours == [CannotTell(key, said("internal", how), "internal")]
    named = (NotChecked(key.kind, "page 3"), NotChecked(key.kind, "page 5"))
    theirs = findings(row, exchange(coverage=part, not_checked=named), only=kinds)
    assert theirs == [CannotTell(key, "page 3", "exchange")]
    both = findings(internal(row, coverage=none), exchange(row, coverage=none), only=kinds)
    says = f"the internal snapshot lists {key.kind}, but its coverage of them is none: they prove nothing"
    assert both == [CannotTell(key, f"{says}; state coverage total or partial", "internal")]


STRANGERS = [balance("?B", "1"), balance("?A", "1"), balance("?C", "0")]


def test_a_name_that_nobody_knows_may_be_what_is_missing() -> None:  # I15
    doubt = f"side lists ?A, ?B, {UNSURE}"
    theirs = found(balance("BTC", "1"), STRANGERS)[str(BALANCE)]
    assert theirs == CannotTell(BALANCE, f"the exchange {doubt}", "exchange")
    ours = found(STRANGERS, balance("BTC", "1"))[str(BALANCE)]
    assert ours == CannotTell(BALANCE, f"the internal {doubt}", "internal")
    there = [position("1", instrument="?Y"), position("0", instrument="?Z"), position("1", instrument="?X")]
    held = found(position("1"), there)[str(POSITION)]
    assert held == CannotTell(POSITION, f"the exchange side lists ?X, ?Y, {UNSURE}", "exchange")
    mine = found(there, position("1"))[str(POSITION)]
    assert mine == CannotTell(POSITION, f"the internal side lists ?X, ?Y, {UNSURE}", "internal")


def test_a_hold_may_be_of_what_nobody_knows_too() -> None:  # I15
    ours = [balance("BTC", "1", "0.5"), balance("USD", "1", "0")]
    theirs = [balance("BTC", "1"), balance("USD", "1", "0"), balance("?A", "1")]
    assert str(HOLD) not in found(ours, theirs)
    reason = f"the exchange side lists ?A, {UNSURE}"
    assert found(ours, theirs[1:])[str(HOLD)] == CannotTell(HOLD, reason, "exchange")
    assert found(theirs[1:], ours)[str(HOLD)] == CannotTell(HOLD, reason.replace("exchange", "internal"), "internal")


def test_rows_that_were_added_up_prove_nothing_where_some_may_be_missing() -> None:
    part = covering("movements", Coverage.PARTIAL)
    ours, theirs = movement("A", refers_to="TX"), movement("B", "41", refers_to="TX")
    for left, right, side in (
        (internal(ours, coverage=part), exchange(theirs), "internal"),
        (internal(ours), exchange(theirs, coverage=part), "exchange"),
    ):
        reason = f"the {side} snapshot covers movements only in part"
        assert findings(left, right) == [CannotTell(LEG, reason, side)]  # type: ignore[arg-type]
    lots = covering("positions", Coverage.PARTIAL)
    summed = findings(internal(position("5")), exchange(position("3", "lot", "P1"), coverage=lots))
    assert summed == [CannotTell(POSITION, "the exchange snapshot covers positions only in part", "exchange")]
    stated = findings(internal(position("5"), coverage=lots), exchange(position("3")))
    assert [type(one) for one in stated] == [Differs]


def test_a_fee_that_nobody_saw_this_time_does_not_agree() -> None:
    gap = (NotChecked(Kind.FILLS, "another"), NotChecked(Kind.MOVEMENTS, "page 3"))
    theirs = exchange(fill(), coverage=replace(ALL, movements=Coverage.PARTIAL), not_checked=gap)
    paid = fill(fee="1")
    assert findings(paid, theirs, only=[Kind.FILLS], watched=[FILL]) == [CannotTell(FILL, "page 3", "exchange")]
    assert findings(paid, theirs, only=[Kind.FILLS]) == [Agrees(FILL, D("40"))]
    assert findings(fill(), theirs, only=[Kind.FILLS], watched=[FILL]) == [Agrees(FILL, D("40"))]
    assert findings(paid, exchange(fill()), only=[Kind.FILLS], watched=[FILL]) == [Agrees(FILL, D("40"))]


OUTSIDE = "it lies outside the window that was read"


def test_what_lies_outside_the_window_did_not_vanish() -> None:  # I7
    for key in (ORDER, FILL, ROW):
        ours = findings(internal(since=since(-60)), [], watched=[key])
        assert ours == [CannotTell(key, OUTSIDE, "internal")]
        theirs = findings([], exchange(since=since(-60)), watched=[key])
        assert theirs == [CannotTell(key, OUTSIDE, "exchange")]
        read_before = found(internal(since=since(-60)), exchange(since=since(-60)), watched={key: at(-60)})
        assert read_before == {str(key): Agrees(key)}
        later = found(internal(since=since(-60)), exchange(since=since(-60)), watched={key: at(-60.01)})
        assert later == {str(key): CannotTell(key, OUTSIDE, "internal")}


def test_what_goes_by_another_name_now_is_judged_there() -> None:
    client = Key(Kind.ORDERS, "c1", "client")
    ours, theirs = order(client="c1"), order(client="c1", status="canceled")
    assert found(ours, theirs, watched=[client])[str(client)] == Pending(client, "judged as orders:OX now")
    lot = Key(Kind.POSITIONS, "XRP/USD", "P1")
    assert found(position("1"), position("2"), watched=[lot])[str(lot)] == Pending(
        lot, "judged as positions:XRP/USD:net now"
    )
    hedged = [position("5", "long"), position("2", "short")], [position("6", "long"), position("3", "short")]
    assert found(*hedged, watched=[POSITION])[str(POSITION)] == Pending(
        POSITION, "judged as positions:XRP/USD:long, positions:XRP/USD:short now"
    )
    legs = [movement("A", refers_to="TX")], [movement("L1", "41", refers_to="TX")]
    assert found(*legs, watched=[ROW])[str(ROW)] == Pending(ROW, "judged as movements:TX:XRP:spot now")


def test_what_one_side_contradicted_is_looked_for_on_that_side() -> None:
    def watched(name: str, side: str, ours: object = (), theirs: object = ()) -> Finding:
        key = Key(Kind.SOURCES, name, side)
        return found(list(ours), theirs, watched=[key], only=list(Kind))[str(key)]  # type: ignore[call-overload]

    strange = Key(Kind.SOURCES, "lots:X", "internal")
    assert watched("lots:X", "internal") == CannotTell(strange, "this was not looked at", "internal")
    changing = [order(filled="60", updated=1), fill(quantity="40")]
    key = Key(Kind.SOURCES, "order:OX", "exchange")
    assert watched("order:OX", "exchange", theirs=changing) == Pending(key, f"changed while it was read; {NEXT}")
    no_fills = exchange(coverage=covering("fills", Coverage.PARTIAL))
    reason = "the exchange snapshot covers fills only in part"
    assert watched("order:OX", "exchange", theirs=no_fills) == CannotTell(key, reason, "exchange")
    ours = Key(Kind.SOURCES, "order:OX", "internal")
    assert watched("order:OX", "internal", theirs=no_fills) == Agrees(ours)
    ledger = Key(Kind.SOURCES, "ledger:BTC", "exchange")
    dark = exchange(coverage=covering("movements", Coverage.NONE))
    reason = "the exchange snapshot covers movements not at all"
    assert watched("ledger:BTC", "exchange", theirs=dark) == CannotTell(ledger, reason, "exchange")
    assert watched("ledger:BTC", "exchange") == Agrees(ledger)


def test_a_hold_of_which_a_side_says_nothing_is_not_gone() -> None:
    silent = "side does not say what is held"
    spoken = balance("USD", "1", "0")
    assert found([], spoken, watched=[HOLD])[str(HOLD)] == CannotTell(HOLD, f"the internal {silent}", "internal")
    assert found(spoken, [], watched=[HOLD])[str(HOLD)] == CannotTell(HOLD, f"the exchange {silent}", "exchange")
    unsaid = [spoken, balance("BTC", "1")]
    assert found(spoken, unsaid, watched=[HOLD])[str(HOLD)] == CannotTell(HOLD, f"the exchange {silent}", "exchange")
    assert found(spoken, spoken, watched=[HOLD])[str(HOLD)] == Agrees(HOLD)


def test_rows_that_are_missing_from_a_ledger_are_one_finding_of_the_exchange() -> None:
    rows = [
        movement("L1", "1", "BTC", kind="deposit", minute=-30, balance_after=D("1")),
        movement("L2", "1", "BTC", kind="deposit", minute=-20, balance_after=D("2.5")),
    ]
    key = Key(Kind.SOURCES, "ledger:BTC:spot", "exchange")
    told = found(rows, [*rows, balance("BTC", "2.5")])
    one = told[str(key)]
    assert isinstance(one, Differs)
    (gap,) = one.mismatches
    assert isinstance(gap, Inconsistent)
    assert (replace(gap, stated=""), one.about) == (
        Inconsistent(Type.LEDGER_GAP, "exchange", "running balance", "", "no row", "BTC", stake("0.5", "BTC")),
        "BTC",
    )
    assert str(key) not in found(rows, rows, only=[Kind.BALANCES])


def test_two_sides_are_refused_with_what_they_are() -> None:
    def refused(ours: Snapshot, theirs: Snapshot, error: type[Exception]) -> str:
        with pytest.raises(error) as caught:
            compare_snapshots(ours, theirs)
        return str(caught.value)

    order_of = (
        "one internal and one exchange snapshot are needed, in this order; got {} and {}: check which file is which"
    )
    assert refused(exchange(), internal(), MixedSides) == order_of.format("exchange", "internal")
    assert refused(internal(), internal(), MixedSides) == order_of.format("internal", "internal")
    assert refused(internal(), exchange(account="x"), MixedAccounts) == (
        "the internal snapshot is of account 'main' at 'kraken', the other of 'x' at 'kraken': compare two of the same"
    )


def test_rows_listed_twice_are_told_beside_by_their_ids() -> None:
    twice = [movement("A", refers_to="TX"), movement("A", refers_to="TX"), movement("B", "1", refers_to="TX")]
    named = Inconsistent(Type.MOVEMENT_DUPLICATED, "internal", "times listed, A", "2", "1", "XRP", stake("-40", "XRP"))
    assert findings(twice, movement("L1", "41", refers_to="TX")) == [Differs(LEG, (named,), "XRP", at(-30))]
    lots = [position("5", "lot", "P1"), position("5", "lot", "P1")]
    lot = Inconsistent(
        Type.POSITION_DUPLICATED, "internal", "times listed, P1", "2", "1", "XRP/USD", stake("-5", "XRP")
    )
    key = Key(Kind.POSITIONS, "XRP/USD", "P1")
    assert findings(lots, position("5", "lot", "P1")) == [Differs(key, (lot,), "XRP/USD")]
    asset = Inconsistent(Type.BALANCE_DUPLICATED, "internal", "times listed", "2", "1", "BTC", stake("-1", "BTC"))
    assert findings([balance("BTC", "1")] * 2, balance("BTC", "1")) == [Differs(BALANCE, (asset,), "BTC")]
    placed = Inconsistent(Type.ORDER_DUPLICATED, "internal", "times listed", "2", "1", "XRP/USD", stake("-60.0", "USD"))
    assert findings([order()] * 2, order()) == [Differs(ORDER, (placed,), "XRP/USD")]


def test_words_that_both_use_and_nobody_knows_are_no_agreement() -> None:  # I15
    def unknown(field: str, word: str, at_stake: Any) -> TextMismatch:
        return TextMismatch(Type.UNRESOLVED_NAME, field, word, word, at_stake)

    strange = movement(kind="airdrop")
    assert findings(strange, strange) == [
        Differs(ROW, (unknown("kind", "airdrop", stake("40", "XRP")),), "XRP", at(-30))
    ]
    raw = movement(asset="?X", kind="airdrop")
    assert findings(raw, raw) == [Differs(ROW, (unknown("name", "?X", stake("40", "?X")),), "?X", at(-30))]
    frozen = order(status="frozen")
    assert findings(frozen, frozen) == [
        Differs(ORDER, (unknown("status", "frozen", stake("0.0", "USD")),), "XRP/USD", at(-30))
    ]
    odd = order(instrument="?X")
    assert findings(odd, odd) == [Differs(ORDER, (unknown("instrument", "?X", None),), "?X", at(-60))]
    traded = fill(instrument="?X", order_id=None)
    assert findings(traded, traded) == [Differs(FILL, (unknown("instrument", "?X", None),), "?X", at(-30))]
