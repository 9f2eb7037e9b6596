"""Open discrepancies whose key no record stands under any more, and what a comparison is about (I4, I7)."""

import pytest
from msgspec.structs import replace

from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.errors import MixedAccounts, MixedSides
from gal_friday.domain.finding import Agrees, CannotTell, Differs, ExchangeOnly, Finding, Key, Pending
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage
from tests.domain.build import ALL, balance, covering, exchange, fill, found, internal, movement, order, position, since

WATCHED = (
    Key(Kind.BALANCES, "BTC", "spot"),
    Key(Kind.POSITIONS, "XRP/USD", "net"),
    Key(Kind.ORDERS, "OX"),
    Key(Kind.FILLS, "TX"),
    Key(Kind.MOVEMENTS, "L1"),
)


def watch(key: Key, ours: object, theirs: object) -> Finding:
    return found(ours, theirs, watched=[key])[str(key)]


@pytest.mark.parametrize("key", WATCHED, ids=str)
def test_a_key_that_both_sides_lack_agrees_where_both_were_seen_whole(key: Key) -> None:
    assert isinstance(watch(key, [], []), Agrees)


@pytest.mark.parametrize("coverage", [Coverage.PARTIAL, Coverage.NONE])
@pytest.mark.parametrize("key", WATCHED, ids=str)
def test_a_discrepancy_does_not_clear_because_nobody_could_look(key: Key, coverage: Coverage) -> None:  # I7
    blind = covering(key.kind, coverage)
    how = "only in part" if coverage is Coverage.PARTIAL else "not at all"
    said = f"snapshot covers {key.kind} {how}"
    assert watch(key, internal(coverage=blind), []) == CannotTell(key, f"the internal {said}", "internal")
    assert watch(key, [], exchange(coverage=blind)) == CannotTell(key, f"the exchange {said}", "exchange")


@pytest.mark.parametrize("key", WATCHED[2:], ids=str)
def test_a_record_outside_the_window_is_not_gone(key: Key) -> None:  # I7
    assert isinstance(watch(key, internal(since=since(-60)), []), CannotTell)
    assert isinstance(watch(key, [], exchange(since=since(-60))), CannotTell)


def test_a_key_of_a_kind_that_was_left_out_is_not_judged() -> None:  # I7
    key = Key(Kind.ORDERS, "OX")
    assert found(order(), order(status="canceled"), watched=[key], only=[Kind.BALANCES]) == {}
    hold = Key(Kind.HOLDS, "BTC")
    assert found([], [], watched=[hold], only=[Kind.ORDERS]) == {}


def test_a_key_that_has_its_finding_gets_no_second_one() -> None:  # I4
    findings = found(balance("BTC", "1"), balance("BTC", "2"), watched=[WATCHED[0], WATCHED[0]])
    assert [type(finding) for finding in findings.values()] == [Differs]


def test_a_balance_that_may_go_by_an_unresolved_name_is_not_gone() -> None:  # I15
    assert isinstance(watch(WATCHED[0], [], balance("?XFOO", "1")), CannotTell)
    assert isinstance(watch(WATCHED[1], [], position("1", instrument="?XXRPZUSD")), CannotTell)


def test_a_hold_nobody_spoke_of_does_not_clear() -> None:  # I7
    key = Key(Kind.HOLDS, "BTC")
    assert isinstance(watch(key, balance("BTC", "1"), balance("BTC", "1", "0.5")), CannotTell)
    assert isinstance(watch(key, [], []), CannotTell)
    spoken = balance("USD", "1", "0")
    assert isinstance(watch(key, spoken, spoken), Agrees)


@pytest.mark.parametrize(
    "key", [Key(Kind.SOURCES, "holds:BTC", "internal"), Key(Kind.SOURCES, "order:OX", "exchange")], ids=str
)
def test_a_contradiction_that_is_gone_clears_where_its_side_was_seen_whole(key: Key) -> None:
    assert isinstance(watch(key, balance("BTC", "1", "0.5"), order()), Agrees)
    blind = replace(ALL, balances=Coverage.PARTIAL, orders=Coverage.PARTIAL)
    assert isinstance(watch(key, internal(coverage=blind), exchange(coverage=blind)), CannotTell)


def test_a_contradiction_that_nothing_here_looks_for_does_not_clear() -> None:
    findings = found([], [], watched=[Key(Kind.SOURCES, "lots:XRP", "exchange")], only=list(Kind))
    assert [type(finding) for finding in findings.values()] == [CannotTell]


def test_a_contradiction_of_an_order_that_is_changing_is_not_gone() -> None:  # I7
    key = Key(Kind.SOURCES, "order:OX", "exchange")
    quiet, filling = order(filled="40"), order(filled="60", updated=1)
    assert isinstance(watch(key, [], [quiet, fill(quantity="40")]), Agrees)
    assert isinstance(watch(key, [], [filling, fill(quantity="40")]), Pending)


def test_an_order_that_learned_its_id_is_judged_under_it() -> None:
    key = Key(Kind.ORDERS, "c1", "client")
    ours = internal(order("OX", client="c1"), since=since(-60))
    assert isinstance(watch(key, ours, order("OX", client="c1")), Agrees)
    assert isinstance(watch(key, ours, order("OX", client="c1", status="canceled")), Pending)


def test_a_movement_that_is_judged_by_its_event_now_is_not_lost() -> None:
    ours = internal(movement("B1", kind="deposit", refers_to="FT1"), since=since(-60))
    key = Key(Kind.MOVEMENTS, "B1")
    assert isinstance(watch(key, ours, movement("L1", kind="deposit", refers_to="FT1")), Agrees)
    assert isinstance(watch(key, ours, movement("L1", "41", kind="deposit", refers_to="FT1")), Pending)


def test_a_position_that_is_compared_net_now_is_not_lost() -> None:
    key = Key(Kind.POSITIONS, "XRP/USD", "short")
    assert isinstance(watch(key, position("5"), position("5")), Agrees)
    assert isinstance(watch(key, position("5"), position("6")), Pending)


def test_a_lot_that_neither_side_lists_is_closed_whatever_the_others_do() -> None:
    key = Key(Kind.POSITIONS, "XRP/USD", "P1")
    ours, theirs = position("5", "lot", "P2"), position("6", "lot", "P2")
    assert isinstance(watch(key, ours, theirs), Agrees)


def test_findings_are_sorted_by_key() -> None:
    rows = [balance("XRP", "1"), balance("BTC", "1"), fill(), order(), movement(), position("1")]
    findings = compare_snapshots(internal(*rows), exchange(*rows))
    assert [finding.key for finding in findings] == sorted(finding.key for finding in findings)


def test_only_the_kinds_asked_for_are_compared() -> None:
    rows = [balance("BTC", "1", "0"), fill(), order(), movement(), position("1")]
    for kind in ("balances", "positions", "orders", "fills", "movements"):
        findings = found([], rows, only=[kind])
        kinds = {key.partition(":")[0] for key in findings}
        assert kinds - {"sources"} == {kind}


def test_two_sides_are_needed_in_their_order() -> None:
    with pytest.raises(MixedSides, match="internal and one exchange"):
        compare_snapshots(exchange(), internal())
    with pytest.raises(MixedSides):
        compare_snapshots(internal(), internal())


@pytest.mark.parametrize("change", [{"account": "other"}, {"exchange": "elsewhere"}])
def test_two_accounts_are_never_compared(change: dict[str, str]) -> None:
    with pytest.raises(MixedAccounts, match="two of the same"):
        compare_snapshots(internal(), exchange(**change))


def test_keys_with_colons_in_their_names_stay_apart() -> None:
    findings = found([], [fill("A:B"), fill("A"), balance("B:spot", "1"), balance("B", "1")])
    assert all(isinstance(finding, ExchangeOnly) for finding in findings.values())
    assert len(findings) == 4
