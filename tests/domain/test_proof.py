"""What the records of a side say about each other, and who is wrong where they do not fit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.proof import Place, Proof, Reading, at_fault, proofs_of
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Coverage, Since, Snapshot
from tests.domain.build import ALL, at, balance, covering, movement
from tests.domain.build import exchange as theirs_of
from tests.domain.build import internal as ours_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, 11, tzinfo=UTC)
BTC = Asset("BTC")

XRP: Place = (Asset("XRP"), Wallet.SPOT)
SINCE = Since(movements=at(-500))


@pytest.mark.parametrize(
    "a, b, c, d, reading",
    [
        (False, True, True, True, Reading.INTERNAL_AT_FAULT),
        (False, True, False, False, Reading.INTERNAL_AT_FAULT),
        (False, None, None, None, Reading.INTERNAL_AT_FAULT),
        (True, False, True, True, Reading.EXCHANGE_INCOMPLETE),
        (None, False, None, False, Reading.EXCHANGE_INCOMPLETE),
        (True, True, False, False, Reading.ITEMS),
        (None, True, False, False, Reading.ITEMS),
        (True, True, True, False, Reading.WRONG_OPENING),
        (True, True, False, True, Reading.COMPENSATING),
        (False, False, True, True, Reading.BOTH_INCOMPLETE),
        (True, True, True, True, Reading.AGREE),
        (None, True, True, True, Reading.NOT_PROVEN),
        (True, True, None, False, Reading.NOT_PROVEN),
        (True, True, False, None, Reading.NOT_PROVEN),
    ],
)
def test_the_pattern_of_the_four_proofs_says_who_is_wrong(
    a: bool | None, b: bool | None, c: bool | None, d: bool | None, reading: Reading
) -> None:
    assert at_fault(a, b, c, d) is reading


@pytest.mark.parametrize(
    "reading, side",
    [
        (Reading.INTERNAL_AT_FAULT, "internal"),
        (Reading.WRONG_OPENING, "internal"),
        (Reading.EXCHANGE_INCOMPLETE, "exchange"),
        (Reading.ITEMS, None),
        (Reading.BOTH_INCOMPLETE, None),
    ],
)
def test_only_a_proof_names_a_side(reading: Reading, side: str | None) -> None:
    assert reading.side == side


def ledger(*rows: tuple[str, str, str], name: str = "XXRP", begin: float = -60) -> list[Movement]:
    """Return rows of the exchange, a minute apart: id, net and the balance after it."""
    return [
        movement(row_id, net, minute=begin + minute, balance_after=Decimal(after), raw=(name,))
        for minute, (row_id, net, after) in enumerate(rows)
    ]


def proof(ours: Snapshot, theirs: Snapshot, tolerance: str = "0") -> Proof:
    return proofs_of(ours, theirs, tolerance=lambda asset: Decimal(tolerance), places=[XRP])[XRP]


def theirs_with(total: str, *rows: Movement, since: Since = SINCE) -> Snapshot:
    return theirs_of(balance("XRP", total, raw=("XXRP",)), *rows, since=since)


def test_two_sides_that_follow_from_their_rows_and_share_them_agree() -> None:
    ours = ours_of(balance("XRP", "15"), movement("L1", "10", minute=-60), movement("L2", "5", minute=-59))
    found = proof(ours, theirs_with("15", *ledger(("L1", "10", "10"), ("L2", "5", "15")), since=Since()))
    assert (found.reading, found.changes, found.gaps) == (Reading.AGREE, (), ())


def test_a_row_of_one_side_is_an_item() -> None:
    ours = ours_of(balance("XRP", "10"), movement("L1", "10", minute=-60))
    found = proof(ours, theirs_with("15", *ledger(("L1", "10", "10"), ("L2", "5", "15"))))
    assert found.reading is Reading.ITEMS
    assert [(change.event, change.amount) for change in found.changes] == [("L2", Decimal(5))]


def test_a_book_whose_balance_does_not_follow_from_its_rows_is_at_fault() -> None:
    ours = ours_of(balance("XRP", "11"), movement("L1", "10", minute=-60))
    found = proof(ours, theirs_with("10", *ledger(("L1", "10", "10"))))
    assert (found.reading, found.internal_rolls, found.exchange_rolls) == (Reading.INTERNAL_AT_FAULT, False, True)


def test_a_book_with_running_balances_must_end_in_its_balance() -> None:
    booked = movement("L1", "10", minute=-60, balance_after=Decimal(30))
    chain = ledger(("L1", "10", "30"))
    found = [
        proof(ours_of(balance("XRP", total), booked, since=SINCE), theirs_with("30", *chain)) for total in ("30", "31")
    ]
    assert [each.internal_rolls for each in found] == [True, False]


def test_an_opening_that_nobody_knows_proves_nothing() -> None:
    ours = ours_of(balance("XRP", "11"), movement("L1", "10", minute=-60), since=SINCE)
    assert proof(ours, theirs_with("10", *ledger(("L1", "10", "10")))).internal_rolls is None


def test_where_all_movements_agree_and_the_closing_does_not_the_opening_was_wrong() -> None:
    opened = movement("O", "90", kind="opening", minute=-90)
    ours = ours_of(balance("XRP", "100"), opened, movement("L1", "10", minute=-60))
    found = proof(ours, theirs_with("110", *ledger(("L1", "10", "110"))))
    assert found.reading is Reading.WRONG_OPENING


def test_rows_that_cancel_out_are_reported_although_the_balance_agrees() -> None:
    ours = ours_of(balance("XRP", "10"), movement("A", "10", minute=-60))
    found = proof(ours, theirs_with("10", *ledger(("L1", "10", "10"))))
    assert (found.reading, len(found.changes)) == (Reading.COMPENSATING, 2)


def test_a_gap_in_the_running_balances_is_the_exchanges_and_names_its_rows() -> None:
    rows = ledger(("L1", "10", "10"), ("L2", "5", "15"), ("L3", "1", "16"))
    ours = ours_of(balance("XRP", "16"), *rows)
    found = proof(ours, theirs_with("16", rows[0], rows[2]))
    assert found.reading is Reading.EXCHANGE_INCOMPLETE
    assert [(gap.name, gap.after, gap.before, gap.amount) for gap in found.gaps] == [("XXRP", "L1", "L3", Decimal(5))]


def test_a_balance_that_the_newest_row_contradicts_is_the_exchanges() -> None:
    ours = ours_of(balance("XRP", "10"), movement("L1", "10", minute=-60))
    assert proof(ours, theirs_with("12", *ledger(("L1", "10", "10")))).reading is Reading.EXCHANGE_INCOMPLETE


def test_each_name_of_an_asset_has_its_own_running_balance() -> None:
    spot = ledger(("L1", "10", "10"), ("L3", "1", "11"))
    flexible = ledger(("L2", "7", "107"), ("L4", "1", "108"), name="XRP.F", begin=-59.5)
    theirs = theirs_of(balance("XRP", "119", raw=("XXRP", "XRP.F")), *spot, *flexible, since=SINCE)
    found = proof(ours_of(balance("XRP", "119"), *spot, *flexible, since=SINCE), theirs)
    assert (found.gaps, found.exchange_rolls) == ((), True)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
@pytest.mark.parametrize("known", [True, False])
def test_rows_of_one_instant_follow_from_each_other_in_any_order(order: tuple[int, ...], known: bool) -> None:
    steps = [("A", "5", "15"), ("B", "-5", "10"), ("C", "5", "15"), ("D", "2", "17")]
    at_once = [
        movement(name, net, minute=-50, balance_after=Decimal(after), raw=("XXRP",)) for name, net, after in steps
    ]
    rows = [*(ledger(("L1", "10", "10")) if known else ()), *(at_once[place] for place in order)]
    assert proof(ours_of(balance("XRP", "17"), *rows), theirs_with("17", *rows)).gaps == ()


def test_a_row_missing_among_rows_of_one_instant_is_a_gap() -> None:
    steps = [("A", "5", "15"), ("C", "5", "22"), ("D", "3", "25")]
    rows = [movement(name, net, minute=-50, balance_after=Decimal(after), raw=("XXRP",)) for name, net, after in steps]
    found = proof(ours_of(balance("XRP", "25"), *rows), theirs_with("25", *ledger(("L1", "10", "10")), *rows))
    assert [gap.amount for gap in found.gaps] == [2]


def test_without_running_balances_the_exchange_rolls_forward_from_nothing() -> None:
    rows = [movement("L1", "10", fee="1"), movement("L2", "5")]
    theirs = [theirs_of(balance("XRP", total), *rows) for total in ("14", "15")]
    assert [proof(ours_of(balance("XRP", "14"), *rows), each).exchange_rolls for each in theirs] == [True, False]


@pytest.mark.parametrize("side", ["internal", "exchange"])
def test_movements_seen_in_part_prove_nothing(side: str) -> None:
    part = covering("movements", Coverage.PARTIAL)
    rows = ledger(("L1", "10", "10"))
    ours = ours_of(balance("XRP", "9"), coverage=part if side == "internal" else ALL)
    theirs = theirs_of(balance("XRP", "10", raw=("XXRP",)), *rows, coverage=part if side == "exchange" else ALL)
    found = proof(ours, theirs)
    assert (found.items_match, found.divergence) == (None, None)


def test_a_difference_within_the_tolerance_agrees_and_one_beyond_does_not() -> None:
    rows = ledger(("L1", "10", "10"))
    ours = [ours_of(balance("XRP", total), movement("L1", total, minute=-60)) for total in ("9.99", "9.98")]
    found = [proof(each, theirs_with("10", *rows), "0.01") for each in ours]
    assert [(each.items_match, each.closings_agree) for each in found] == [(True, True), (False, False)]


def test_every_balance_of_either_side_is_proven() -> None:
    ours = ours_of(balance("XRP", "1"), movement("L1", "1", asset="ETH"))
    theirs = theirs_of(balance("BTC", "1"), balance("XRP", "1", wallet=Wallet.EARN))
    found = proofs_of(ours, theirs, tolerance=lambda asset: Decimal(0))
    assert [f"{asset} {wallet}" for asset, wallet in found] == ["BTC spot", "ETH spot", "XRP earn", "XRP spot"]
