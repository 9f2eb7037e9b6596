"""Movements: by their own id, by their event, and never two findings for one key."""

from itertools import permutations

import pytest

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare.stake import stake_of
from gal_friday.domain.finding import (
    Agrees,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Key,
    Pending,
    Stake,
)
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Scales
from tests.domain.build import (
    D,
    balance,
    covering,
    exchange,
    fill,
    found,
    internal,
    movement,
    only,
    order,
    position,
    since,
    stake,
)

Type = DiscrepancyType
EVENT = "movements:T1:XRP:spot"


def told(finding: Finding) -> list[tuple[str, Type]]:
    assert isinstance(finding, Differs)
    return [(mismatch.field, mismatch.type) for mismatch in finding.mismatches]


@pytest.mark.parametrize("theirs, kind", [("40", Agrees), ("40.00000001", Agrees), ("40.00000002", Differs)])
@pytest.mark.parametrize("kind_of", ["trade", "deposit"])
def test_one_id_is_one_movement(kind_of: str, theirs: str, kind: type) -> None:
    assert isinstance(only(movement(kind=kind_of), movement("L1", theirs, kind=kind_of)), kind)


@pytest.mark.parametrize(
    "change, field, expected",
    [
        ({"asset": "BTC"}, "asset", Type.MOVEMENT_MISMATCH),
        ({"wallet": Wallet.EARN}, "wallet", Type.MOVEMENT_MISMATCH),
        ({"asset": "?XFOO"}, "asset", Type.UNRESOLVED_NAME),
        ({"kind": "none"}, "kind", Type.UNRESOLVED_NAME),
        ({"fee": "1"}, "amount", Type.MOVEMENT_MISMATCH),
    ],
)
def test_what_differs_is_named(change: dict[str, str], field: str, expected: Type) -> None:
    assert told(only(movement(), movement(**change))) == [(field, expected)]  # type: ignore[arg-type]


def test_another_known_word_for_the_same_change_agrees() -> None:
    assert isinstance(only(movement(kind="transfer"), movement(kind="earn_transfer")), Agrees)


def test_wallets_given_as_plain_text_are_the_same_wallets() -> None:
    assert isinstance(only(movement(wallet="spot"), movement()), Agrees)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["trade", "fee", "margin", "settlement"])
def test_a_leg_is_found_by_its_fill_whatever_the_ids_and_words(kind: str) -> None:
    finding = only(movement("B1", refers_to="T1", kind=kind), movement("L1", refers_to="T1"))
    assert isinstance(finding, Agrees)
    assert str(finding.key) == EVENT


def test_several_rows_of_one_leg_are_summed_and_never_overwritten() -> None:  # N10
    legs = [movement("L1", "-29.86", refers_to="T1"), movement("L2", "-1.55", refers_to="T1")]
    for rows in permutations([*legs, movement("L3", "5", asset="USD", refers_to="T1")]):
        findings = found(movement("B1", "-31.41", refers_to="T1"), list(rows))
        assert isinstance(findings[EVENT], Agrees)
        assert isinstance(findings["movements:T1:USD:spot"], ExchangeOnly)


def test_a_leg_taken_from_two_wallets_differs_in_each() -> None:
    theirs = [movement("L1", "-100", refers_to="T1"), movement("L2", "-50", refers_to="T1", wallet=Wallet.EARN)]
    findings = found(movement("B1", "-150", refers_to="T1"), theirs)
    assert told(findings[EVENT]) == [("amount", Type.MOVEMENT_MISMATCH)]
    assert isinstance(findings["movements:T1:XRP:earn"], ExchangeOnly)


def test_amount_and_fee_may_stand_in_one_row_or_in_two() -> None:
    theirs = [movement("L1", "40", refers_to="T1"), movement("L2", "0", refers_to="T1", fee="0.1")]
    assert isinstance(only(movement("B1", "40", refers_to="T1", fee="0.1"), theirs), Agrees)


def test_a_fee_paid_in_credits_is_a_leg_of_its_own() -> None:
    credit = movement("L2", "0", asset="KFEE", refers_to="T1", fee="12.5")
    findings = found(movement("B1", refers_to="T1"), [movement("L1", refers_to="T1"), credit])
    missing = findings["movements:T1:KFEE:spot"]
    assert isinstance(missing, ExchangeOnly)
    assert missing.stake == Stake(D("-12.5"), Asset("KFEE"))
    ours = [movement("B1", refers_to="T1"), movement("B2", "0", asset="KFEE", refers_to="T1", fee="12.5")]
    assert all(isinstance(f, Agrees) for f in found(ours, [movement("L1", refers_to="T1"), credit]).values())


def test_a_leg_has_the_same_key_before_and_after_the_book_learns_the_row() -> None:
    theirs = movement("L1", refers_to="T1")
    before, after = only([], theirs), only(movement("L1", refers_to="T1"), theirs)
    assert isinstance(before, ExchangeOnly)
    assert isinstance(after, Agrees)
    assert before.key == after.key


def test_what_is_missing_of_a_leg_is_the_row_and_not_the_sum() -> None:
    theirs = [movement("L1", "100", refers_to="T1"), movement("L2", "50", refers_to="T1")]
    finding = only(movement("L1", "100", refers_to="T1"), theirs)
    assert isinstance(finding, ExchangeOnly)
    assert (finding.type, finding.amount) == (Type.MOVEMENT_MISSING_INTERNAL, D(50))


def test_rows_of_different_kinds_with_one_reference_do_not_collide() -> None:  # I4
    kinds = ("trade", "rollover", "transfer")
    ours = [movement(f"B{n}", refers_to="T1", kind=kind) for n, kind in enumerate(kinds)]
    theirs = [movement(f"L{n}", refers_to="T1", kind=kind) for n, kind in enumerate(kinds)]
    assert len(found(ours, theirs)) == 3
    twice = [*theirs, movement("L9", "0", refers_to="T1", kind="transfer")]
    assert len(found([*ours, movement("B9", "0", refers_to="T1", kind="rollover")], twice)) == 3


def test_an_event_with_the_name_of_another_row_does_not_collide() -> None:  # I4
    rows = [movement("T1", "1", kind="deposit"), movement("L1", "2", refers_to="T1")]
    assert len(found(rows, rows)) == 2
    assert len(found(rows, [])) == 2
    assert found(rows, []) == found(rows[::-1], [])


def test_a_row_that_others_refer_to_does_not_depend_on_the_order_of_rows() -> None:
    rows = [movement("T1", "1"), movement("L1", "2", refers_to="T1")]
    assert found(rows, []) == found(rows[::-1], [])
    assert found([], rows) == found([], rows[::-1])


def test_every_rollover_of_a_position_is_told_on_its_own() -> None:
    rows = [movement(f"L{n}", "0", "USD", "rollover", "POS", fee="0.02") for n in range(3)]
    findings = found(rows[:2], rows)
    assert [type(findings[f"movements:L{n}"]) for n in range(3)] == [Agrees, Agrees, ExchangeOnly]


def test_rollovers_that_the_book_numbers_itself_are_compared_by_their_sum() -> None:
    theirs = [movement(f"L{n}", "0", "USD", "rollover", "POS", fee="0.02") for n in range(3)]
    ours = [movement(f"B{n}", "0", "USD", "rollover", "POS", fee="0.02") for n in range(3)]
    assert isinstance(only(ours, theirs), Agrees)
    assert told(only(ours[:2], theirs)) == [("amount", Type.MOVEMENT_MISMATCH)]


def test_a_rollover_is_none_of_another_hour_in_a_book_that_knows_their_ids() -> None:
    rows = [movement(f"L{n}", "0", "USD", "rollover", "POS", fee="0.02", minute=-240 * n) for n in range(4)]
    findings = found([rows[0], rows[1], rows[3]], [rows[0], rows[2], rows[3]])
    assert [type(findings[f"movements:L{n}"]) for n in range(4)] == [Agrees, InternalOnly, ExchangeOnly, Agrees]


def test_a_rollover_booked_by_hand_is_found_by_its_time_in_a_book_that_knows_their_ids() -> None:
    rows = [movement(f"L{n}", "0", "USD", "rollover", "POS", fee="0.02", minute=-240 * n) for n in range(3)]
    by_hand = movement("B1", "0", "USD", "rollover", "POS", fee="0.02", minute=-240.5)
    findings = found([rows[0], by_hand, rows[2]], rows)
    assert {key: type(finding) for key, finding in findings.items()} == {
        f"movements:L{n}": Agrees for n in range(3)
    }  # fmt: skip


def test_of_a_position_s_rollovers_only_those_in_the_window_are_summed() -> None:
    ours = [movement(f"B{n}", "0", "USD", "rollover", "POS", fee="0.02", minute=-10 * n) for n in range(6)]
    theirs = [movement(f"L{n}", "0", "USD", "rollover", "POS", fee="0.02", minute=-10 * n) for n in range(3)]
    assert isinstance(only(internal(*ours), exchange(*theirs, since=since(-20))), Agrees)


def test_an_event_at_the_edge_of_the_window_is_not_torn_apart() -> None:
    ours = movement("B1", "5", "USD", "deposit", "FT1", minute=-30.001)
    theirs = movement("L1", "5", "USD", "deposit", "FT1", minute=-30)
    assert isinstance(only(internal(ours), exchange(theirs, since=since(-30))), Agrees)


def test_the_legs_of_one_fill_are_not_parted_by_the_window() -> None:
    legs = [movement("L1", "100", refers_to="T1", minute=-30.001), movement("L2", "50", refers_to="T1")]
    finding = only([], exchange(*legs, since=since(-30)))
    assert isinstance(finding, ExchangeOnly)
    assert finding.amount == D(150)


def test_a_failed_withdrawal_and_its_return_are_two_rows_of_one_event() -> None:
    theirs = [
        movement("L1", "-100", "USD", "withdrawal", "FTw", fee="1"),
        movement("L2", "100", "USD", "withdrawal", "FTw", fee="-1"),
    ]
    findings = found(theirs[0], theirs)
    assert {key: type(finding) for key, finding in findings.items()} == {
        "movements:L1": Agrees,
        "movements:L2": ExchangeOnly,
    }
    booked = movement("B1", "-100", "USD", "withdrawal", "FTw", fee="1")
    finding = only(booked, theirs)
    assert told(finding) == [("amount", Type.MOVEMENT_MISMATCH)]


def test_a_deposit_is_found_by_its_reference_under_the_exchange_s_id() -> None:
    finding = only(movement("B1", kind="deposit", refers_to="FT1"), movement("L1", kind="deposit", refers_to="FT1"))
    assert isinstance(finding, Agrees)
    assert str(finding.key) == "movements:L1"


def test_a_deposit_is_no_withdrawal_with_the_same_reference() -> None:
    findings = found(
        movement("B1", kind="deposit", refers_to="FT1"), movement("L1", kind="withdrawal", refers_to="FT1")
    )
    assert {key: type(finding) for key, finding in findings.items()} == {
        "movements:B1": InternalOnly,
        "movements:L1": ExchangeOnly,
    }


def test_the_opening_of_a_book_is_not_looked_for_at_the_exchange() -> None:
    partial = exchange(coverage=covering("movements", Coverage.PARTIAL))
    assert isinstance(only(movement(kind="opening"), []), Agrees)
    assert isinstance(only(movement(kind="opening"), partial), Agrees)
    assert isinstance(only([], movement(kind="opening")), ExchangeOnly)


def test_a_row_that_moves_nothing_is_missed_by_nobody() -> None:
    assert isinstance(only(movement(net="1", fee="1"), []), Agrees)
    assert isinstance(only([], movement(net="0", refers_to="T1")), Agrees)
    partial = covering("movements", Coverage.PARTIAL)
    assert isinstance(only(internal(coverage=partial), exchange(movement(net="0"))), CannotTell)


@pytest.mark.parametrize("change", [{"kind": "none"}, {"asset": "?XFOO"}, {"kind": "none", "net": "0"}])
def test_what_nobody_knows_is_reported_as_such(change: dict[str, str]) -> None:  # I15
    for finding in (only(movement(**change), []), only([], movement(**change))):  # type: ignore[arg-type]
        assert isinstance(finding, InternalOnly | ExchangeOnly)
        assert finding.type is Type.UNRESOLVED_NAME


@pytest.mark.parametrize("coverage", [Coverage.PARTIAL, Coverage.NONE])
def test_an_absent_movement_is_unknown_where_coverage_is_not_total(coverage: Coverage) -> None:  # I5
    blind = covering("movements", coverage)
    assert isinstance(only(movement(), exchange(coverage=blind)), CannotTell)
    assert isinstance(only(internal(coverage=blind), exchange(movement())), CannotTell)


@pytest.mark.parametrize("minute, seen", [(-30, True), (-30.001, False)])
@pytest.mark.parametrize("refers_to", [None, "T1"])
def test_the_window_begins_with_its_first_instant(minute: float, seen: bool, refers_to: str | None) -> None:
    row, window = movement(minute=minute, refers_to=refers_to), {"since": since(-30)}
    assert bool(found(internal(row), exchange(**window))) is seen
    assert bool(found(internal(**window), exchange(row))) is seen


@pytest.mark.parametrize("minute, kind", [(0, InternalOnly), (0.001, Pending)])
@pytest.mark.parametrize("refers_to", [None, "T1"])
def test_a_movement_newer_than_the_other_reading_is_pending(minute: float, kind: type, refers_to: str | None) -> None:
    assert isinstance(only(movement(minute=minute, refers_to=refers_to), []), kind)


@pytest.mark.parametrize("minute, kind", [(0, Differs), (0.001, Pending)])
def test_an_event_with_a_row_newer_than_the_other_reading_is_pending(minute: float, kind: type) -> None:
    theirs = [movement("L1", "30", refers_to="T1"), movement("L2", "9", refers_to="T1", minute=minute)]
    assert isinstance(only(movement("B1", "30", refers_to="T1"), theirs), kind)


@pytest.mark.parametrize("refers_to, field", [(None, "times listed"), ("T1", "times listed, B1")])
def test_a_row_listed_twice_counts_once_and_is_told_even_where_its_event_is_the_key(
    refers_to: str | None, field: str
) -> None:
    row = movement("B1", refers_to=refers_to)
    other = movement("L1" if refers_to else "B1", refers_to=refers_to)
    assert told(only([row, row], other)) == [(field, Type.MOVEMENT_DUPLICATED)]
    assert isinstance(only(row, [other, other]), Agrees)
    lone = only([row, row], [])
    assert isinstance(lone, InternalOnly)
    assert [m.type for m in lone.repeats] == [Type.MOVEMENT_DUPLICATED]


def test_one_id_with_two_contents_is_a_conflict_in_any_order() -> None:
    rows = [movement("L1", "1", refers_to="T1"), movement("L1", "2", refers_to="T1")]
    ours = movement("B1", "2", refers_to="T1")
    assert found(ours, rows) == found(ours, rows[::-1])
    finding = only(ours, rows)
    assert isinstance(finding, Differs)
    assert Type.IDENTITY_CONFLICT in {m.type for m in finding.mismatches}


@pytest.mark.parametrize("theirs, kind", [("0.0624", Agrees), ("0.0625", Differs)])
def test_an_amount_finer_than_the_exchange_keeps_may_be_rounded_there(theirs: str, kind: type) -> None:
    ours = movement("B1", "0.06235", "USD", refers_to="T1")
    right = exchange(movement("L1", theirs, "USD", refers_to="T1"), scales=Scales(assets={Asset("USD"): 4}))
    finding = only(ours, right)
    assert isinstance(finding, kind)
    assert not isinstance(finding, Agrees) or finding.difference == D("0.00005")


def test_of_two_rows_with_one_id_the_exchange_says_which_fill_they_are_of() -> None:
    assert isinstance(only(movement("L1", refers_to="T9"), movement("L1", refers_to="T1")), Agrees)
    assert list(found(movement("L1", refers_to="T9"), movement("L1", refers_to="T1"))) == [EVENT]


def test_rows_that_add_up_to_the_same_agree_under_the_key_of_their_event() -> None:
    ours = [movement("A1", "25", refers_to="T1"), movement("A2", "15", refers_to="T1")]
    assert only(ours, movement("L1", refers_to="T1")) == Agrees(Key(Kind.MOVEMENTS, "T1", "XRP:spot"), D(40))


def test_nothing_moved_agrees_with_the_silence_of_whoever_was_seen_in_full() -> None:  # I5
    blind = covering("movements", Coverage.PARTIAL)
    rollover = movement("L1", "0", kind="rollover")
    assert isinstance(only(internal(rollover, coverage=blind), []), Agrees)
    assert isinstance(only(rollover, exchange(coverage=blind)), CannotTell)
    assert isinstance(only([], exchange(rollover, coverage=blind)), Agrees)
    assert isinstance(only(internal(coverage=blind), exchange(rollover)), CannotTell)


def test_every_kind_of_record_is_worth_an_amount_of_one_asset() -> None:
    rows = (
        balance("BTC", "2"),
        movement(fee="1"),
        fill(side="sell"),
        order("O1", "canceled", filled="10"),
        position("5"),
    )
    worth = [stake_of(row) for row in rows]
    assert worth == [stake("2", "BTC"), stake("39", "XRP"), stake("-24", "USD"), stake("6", "USD"), stake("5", "XRP")]
