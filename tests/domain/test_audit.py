"""What the exchange's own records say against each other, and what a comparison makes of it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.audit import Audit, Broken, as_proven, audit_of, unseen_rows
from gal_friday.domain.chain import Gap
from gal_friday.domain.finding import Agrees, CannotTell, Differs, DiscrepancyType, Finding, Key, Pending
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import Coverage, NotChecked, Snapshot
from gal_friday.domain.verdict import Verdict
from tests.domain.build import at, balance, covering, exchange, found, internal, movement, order, position, since

LEDGER = "sources:ledger:BTC:spot:exchange"


def row(name: str, net: str, after: str, minute: float, *, raw: str = "") -> Movement:
    return movement(
        name,
        net,
        "BTC",
        kind="deposit",
        minute=minute,
        balance_after=Decimal(after),
        raw=(raw,) if raw else (),
    )


ROWS = (row("L1", "1", "1", -50), row("L2", "2", "3", -40), row("L3", "4", "7", -30))


def stated(total: str, *rows: Movement, raw: tuple[str, ...] = (), coverage: Coverage = Coverage.TOTAL) -> Snapshot:
    return exchange(balance("BTC", total, raw=raw), *rows, coverage=covering("movements", coverage))


def of_balance(internal_total: str, theirs: Snapshot, **more: object) -> Finding:
    return found(balance("BTC", internal_total), theirs, only=[Kind.BALANCES], **more)["balances:BTC:spot"]


# --- rows that do not follow from each other --------------------------------------------------------------------


def test_a_ledger_whose_rows_follow_has_nothing_missing() -> None:
    assert audit_of(stated("7", *ROWS)).broken == ()


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (0, 2, 1)], ids=str)
def test_the_order_in_which_a_file_lists_the_rows_does_not_matter(order: tuple[int, ...]) -> None:
    theirs = stated("7", *(ROWS[n] for n in order))
    assert audit_of(theirs).broken == ()
    assert audit_of(theirs).unproven == {}


def test_a_missing_row_is_named_by_its_neighbours_and_its_amount() -> None:
    (broken,) = audit_of(stated("7", ROWS[0], ROWS[2])).broken
    assert broken.moved() == "moved by 2 BTC between L1 and L3"
    assert broken.amount == Decimal(2)


def test_a_missing_row_of_both_sides_is_a_ledger_gap_and_not_green() -> None:  # I6
    gone = (ROWS[0], ROWS[2])
    report = compare(internal(balance("BTC", "7"), *gone), stated("7", *gone))
    assert report.verdict is Verdict.INCOMPLETE
    (gap,) = report.source_discrepancies
    assert (gap.type, gap.side, gap.difference) == (DiscrepancyType.LEDGER_GAP, "exchange", None)
    assert gap.exchange == "moved by 2 BTC between L1 and L3 against no row"


def test_a_ledger_gap_is_among_what_was_not_checked_with_what_to_do() -> None:  # I6
    gone = (ROWS[0], ROWS[2])
    report = compare(internal(balance("BTC", "7"), *gone), stated("7", *gone))
    (gap,) = report.not_checked
    assert (gap.kind, gap.side) == (Kind.MOVEMENTS, "exchange")
    assert "moved by 2 BTC between L1 and L3" in gap.reason
    assert gap.reason.endswith("read it again in full")
    without = compare(internal(balance("BTC", "7"), *gone), stated("7", *gone), only=[Kind.BALANCES])
    assert not any("missing" in each.reason for each in without.not_checked)


def test_what_the_book_has_and_a_ledger_with_gaps_lacks_cannot_be_told() -> None:  # I5
    by_key = found(internal(balance("BTC", "7"), *ROWS), stated("7", ROWS[0], ROWS[2]))
    assert isinstance(by_key["movements:L2"], CannotTell)
    assert isinstance(by_key[LEDGER], Differs)


def test_a_gap_stays_open_until_the_rows_were_seen_to_follow() -> None:  # I7
    key = Key(Kind.SOURCES, "ledger:BTC:spot", "exchange")
    from_then = {key: ROWS[0].at}
    assert isinstance(found([], stated("7", *ROWS), watched=from_then)[LEDGER], Agrees)
    blind = stated("7", *ROWS, coverage=Coverage.PARTIAL)
    assert isinstance(found([], blind, watched=from_then)[LEDGER], CannotTell)
    later = exchange(balance("BTC", "7"), *ROWS, since=since(-45))
    assert isinstance(found([], later, watched=from_then)[LEDGER], CannotTell)


def test_a_ledger_that_claims_no_completeness_has_no_gap_to_report() -> None:
    assert audit_of(stated("7", ROWS[0], ROWS[2], coverage=Coverage.PARTIAL)).broken == ()


def test_a_ledger_that_was_left_out_of_the_run_has_no_gap_in_it() -> None:
    gone = stated("7", ROWS[0], ROWS[2])
    assert LEDGER not in found(balance("BTC", "7"), gone, only=[Kind.BALANCES])


def test_two_names_of_one_wallet_have_two_running_balances() -> None:
    rows = (row("L1", "1", "1", -50, raw="XXBT"), row("L2", "3", "3", -40, raw="XBT.F"))
    theirs = stated("4", *rows, raw=("XXBT", "XBT.F"))
    assert audit_of(theirs).broken == ()
    assert audit_of(theirs).unproven == {}


def test_a_row_listed_twice_is_no_gap() -> None:
    assert audit_of(stated("7", *ROWS, ROWS[1])).broken == ()


# --- the newest row against the balance (K1) --------------------------------------------------------------------


def test_a_balance_that_its_ledger_contradicts_is_named_with_both_amounts() -> None:
    (reason,) = audit_of(stated("6.5", *ROWS)).unproven.values()
    assert "6.5 BTC" in reason
    assert "ledger 7" in reason


@pytest.mark.parametrize("total, contradicted", [("6.99999999", False), ("6.99999998", True)])
def test_a_balance_within_the_tolerance_of_its_ledger_is_proven(total: str, contradicted: bool) -> None:
    place = (Asset("BTC"), Wallet.SPOT)
    assert (place in audit_of(stated(total, *ROWS), tolerance=Decimal("0.00000001")).unproven) is contradicted


@pytest.mark.parametrize(
    "theirs",
    [
        stated("1.5", row("L1", "2", "2", -40, raw="XXBT"), raw=("XXBT", "XBT.F")),
        stated("1.5", ROWS[0], coverage=Coverage.PARTIAL),
        stated("1.5"),
        stated("1.5", movement("L1", "2", "BTC")),
    ],
    ids=["a name without rows", "a ledger in part", "no rows", "no running balances"],
)
def test_what_the_ledger_does_not_show_is_neither_proven_nor_contradicted(theirs: Snapshot) -> None:
    assert audit_of(theirs).unproven == {}


def test_a_difference_from_a_contradicted_balance_cannot_be_told() -> None:
    assert isinstance(of_balance("7", stated("6.5", *ROWS)), CannotTell)


def test_a_difference_from_a_proven_balance_is_a_difference() -> None:
    assert isinstance(of_balance("6.5", stated("7", *ROWS)), Differs)


def test_agreement_on_a_contradicted_balance_is_pending() -> None:  # I6
    finding = of_balance("6.5", stated("6.5", *ROWS))
    assert isinstance(finding, Pending)
    assert "withdrawal" in finding.reason


# --- names that nobody knows, on both sides (I15) ---------------------------------------------------------------

SHARED = {
    "asset": balance("?XFOO", "5"),
    "instrument of a position": position("5", instrument="?XFOOZUSD"),
    "instrument of an order": order(instrument="?XFOOZUSD"),
    "status": order(status="trailing"),
    "kind": movement("L1", "5", kind="airdrop"),
    "asset of a movement": movement("L1", "5", "?XFOO", kind="deposit"),
    "asset of a leg": movement("L1", "5", "?XFOO", refers_to="TX"),
}


@pytest.mark.parametrize("record", SHARED.values(), ids=SHARED)
def test_a_name_that_both_sides_use_and_nobody_knows_is_reported(record: object) -> None:  # I15
    report = compare(internal(record), exchange(record))
    assert {each.type for each in report.discrepancies} == {DiscrepancyType.UNRESOLVED_NAME}
    assert report.verdict is Verdict.DISCREPANCIES


def test_nothing_of_an_unknown_asset_is_nothing_to_report() -> None:
    assert compare(internal(balance("?XFOO", "0")), exchange(balance("?XFOO", "0"))).discrepancies == ()


@pytest.mark.parametrize("tolerance, found_as", [("0.5", Differs), ("0.49999999", CannotTell)])
def test_what_a_ledger_may_deny_of_a_balance_is_the_policys(tolerance: str, found_as: type) -> None:
    policy = Policy(tolerance=Decimal(tolerance))
    assert isinstance(of_balance("1", stated("7.5", *ROWS), policy=policy), found_as)


# --- whole ------------------------------------------------------------------------------------------------------


def test_what_a_side_says_against_itself_is_told_whole() -> None:
    rows = (
        row("L1", "1", "1", -50, raw="XXBT"),
        row("L2", "2", "3", -40, raw="XXBT"),
        row("L3", "4", "8.5", -30, raw="XXBT"),
        row("L4", "1", "9", -20, raw="XXBT"),
    )
    gaps = (Gap("XXBT", "L2", "L3", at(-30), Decimal("1.5")), Gap("XXBT", "L3", "L4", at(-20), Decimal("-0.5")))
    (place,) = {(Asset("BTC"), Wallet.SPOT)}
    told = (
        "the exchange states 8 BTC, its own ledger 9: one of them lags behind, or a withdrawal is on its way; run again"
    )
    audit = audit_of(stated("8", *rows, raw=("XXBT",)))
    assert audit == Audit((Broken("XXBT", Asset("BTC"), gaps),), {place: told})
    (broken,) = audit.broken
    assert (broken.amount, broken.moved()) == (Decimal(1), "moved by 1.5 BTC between L2 and L3 and 1 more")
    assert audit_of(stated("9", *rows, raw=("XXBT",))) == replace(audit, unproven={})


def test_chains_that_do_not_hold_are_told_by_name() -> None:
    rows = [
        replace(each, movement_id=f"{asset}{each.movement_id}", asset=Asset(asset))
        for asset in ("ETH", "ADA")
        for each in (ROWS[0], ROWS[2])
    ]
    assert [one.name for one in audit_of(exchange(*rows)).broken] == ["ADA:spot", "ETH:spot"]


def test_a_balance_of_two_names_is_what_both_chains_end_with() -> None:
    rows = (row("L1", "1", "1", -50, raw="XXBT"), row("L2", "3", "3", -40, raw="XBT.F"))
    (told,) = audit_of(stated("5", *rows, raw=("XXBT", "XBT.F"))).unproven.values()
    assert told.startswith("the exchange states 5 BTC, its own ledger 4: ")
    assert audit_of(stated("4", *rows, raw=("XXBT", "XBT.F"))) == Audit()


def test_a_ledger_with_gaps_is_partial_and_says_so_after_what_was_said_before() -> None:  # I6
    before = NotChecked(Kind.ORDERS, "no answer", "exchange")
    theirs = replace(stated("7", ROWS[0], ROWS[2]), not_checked=(before,))
    told = (
        "ledger rows are missing: its own running balances moved by 2 BTC between L1 and L3, without a row; "
        "read it again in full"
    )
    assert as_proven(theirs, audit_of(theirs)) == replace(
        theirs,
        coverage=covering("movements", Coverage.PARTIAL),
        not_checked=(before, NotChecked(Kind.MOVEMENTS, told, "exchange")),
    )
    whole = stated("6", *ROWS)
    assert as_proven(whole, audit_of(whole)) is whole


@pytest.mark.parametrize(
    "moves, told",
    [(3, "m1; m2; m3"), (4, "m1; m2; m3 and in 1 more assets"), (6, "m1; m2; m3 and in 3 more assets")],
)
def test_of_many_ledgers_with_gaps_three_are_shown(moves: int, told: str) -> None:
    named = [f"m{number}" for number in range(1, moves + 1)]
    begins = "ledger rows are missing: its own running balances "
    assert unseen_rows(named) == f"{begins}{told}, without a row; read it again in full"
