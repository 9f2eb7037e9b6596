"""One missed fill reads as one thing; what does not add up to the last digit stands for itself."""

from gal_friday.cli.events import events_of
from gal_friday.domain.words import what, where
from tests.cli.samples import FILL, missed_fill, report, side

INTERNAL, EXCHANGE = missed_fill()


def leg(movement_id: str, amount: str, **more: str) -> dict[str, str]:
    at = "2026-01-31T11:58:00Z"
    return {"movement_id": movement_id, "kind": "deposit", "asset": "USD", "amount": amount, "at": at} | more


def test_a_missed_fill_brings_its_movements_and_the_balances_that_follow_from_them() -> None:
    (event,) = [one for one in events_of(report(INTERNAL, EXCHANGE)) if FILL in where(one.head)]
    assert [f"{what(one)}: {where(one)}" for one in event.members] == [
        f"fill never reached the book: XRP/USD {FILL}",
        f"movement never booked: USD {FILL}",
        f"movement never booked: XRP {FILL}",
        "balance differs: USD spot",
        "balance differs: XRP spot",
    ]


def test_every_discrepancy_is_told_once() -> None:
    found = report(INTERNAL, EXCHANGE)
    told = [one.id for event in events_of(found) for one in event.members]
    assert sorted(told) == sorted(one.id for one in found.discrepancies)


def test_a_balance_that_is_off_by_one_last_digit_more_stands_for_itself() -> None:
    balances = [row for row in EXCHANGE["balances"] if row["asset"] != "USD"]
    off = EXCHANGE | {"balances": [*balances, {"asset": "USD", "total": "9975.53999998"}]}
    heads = [where(event.head) for event in events_of(report(INTERNAL, off))]
    assert "USD spot" in heads


def test_a_balance_made_up_by_several_events_says_so() -> None:
    internal = side("internal", balances=[{"asset": "USD", "total": "0"}])
    deposits = [leg("L1", "10"), leg("L2", "5.5")]
    exchange = side("exchange", balances=[{"asset": "USD", "total": "15.5"}], movements=deposits)
    (balance,) = [one for one in events_of(report(internal, exchange)) if one.note]
    assert (where(balance.head), balance.note) == (
        "USD spot",
        "exactly what the 2 records of 2 events add up to",
    )


def test_movements_of_another_wallet_explain_no_balance_of_this_one() -> None:
    internal = side("internal", balances=[{"asset": "USD", "total": "0"}])
    elsewhere = [leg("L1", "4", refers_to="F", kind="trade", wallet="earn")]
    exchange = side("exchange", balances=[{"asset": "USD", "total": "4"}], movements=elsewhere)
    assert [len(one.members) for one in events_of(report(internal, exchange))] == [1, 1]


def test_the_most_severe_event_comes_first_and_of_equals_the_most_valuable() -> None:
    heads = [where(event.head) for event in events_of(report(INTERNAL, EXCHANGE, BTC="60000", XRP="0.61"))]
    assert heads[:2] == ["BTC spot", f"XRP/USD {FILL}"]
