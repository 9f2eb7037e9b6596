"""What is found of balances, holds and positions, whole: every field that a report shows."""

import pytest

from gal_friday.domain.assets import Wallet
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
)
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage
from tests.domain.build import D, balance, covering, exchange, found, position, stake

Type = DiscrepancyType

WHOLE: dict[str, tuple[object, object, list[Finding]]] = {
    "a balance that differs": (
        [balance("BTC", "1")],
        [balance("BTC", "3.5")],
        [
            Differs(
                Key(Kind.BALANCES, "BTC", Wallet.SPOT),
                (AmountMismatch(Type.BALANCE_MISMATCH, "total", D("1"), D("3.5"), D("2.5"), stake("2.5", "BTC")),),
                "BTC",
            )
        ],
    ),
    "a balance that agrees": (
        [balance("BTC", "1")],
        [balance("BTC", "1.00000001")],
        [Agrees(Key(Kind.BALANCES, "BTC", Wallet.SPOT), D("1"), D("1E-8"))],
    ),
    "a balance that only the book has": (
        [balance("BTC", "2", wallet=Wallet.EARN)],
        [],
        [
            InternalOnly(
                Key(Kind.BALANCES, "BTC", Wallet.EARN), Type.BALANCE_MISMATCH, D("2"), "BTC", stake("-2", "BTC")
            )
        ],
    ),
    "a balance that only the exchange has": (
        [],
        [balance("BTC", "2")],
        [ExchangeOnly(Key(Kind.BALANCES, "BTC", Wallet.SPOT), Type.BALANCE_MISMATCH, D("2"), "BTC", stake("2", "BTC"))],
    ),
    "a balance under a name that nobody knows": (
        [],
        [balance("?XFOO", "2")],
        [
            ExchangeOnly(
                Key(Kind.BALANCES, "?XFOO", Wallet.SPOT), Type.UNRESOLVED_NAME, D("2"), "?XFOO", stake("2", "?XFOO")
            )
        ],
    ),
    "a balance under a name that nobody knows, on both sides": (
        [balance("?XFOO", "2")],
        [balance("?XFOO", "2")],
        [
            Differs(
                Key(Kind.BALANCES, "?XFOO", Wallet.SPOT),
                (AmountMismatch(Type.UNRESOLVED_NAME, "total", D("2"), D("2"), D("0"), stake("0", "?XFOO")),),
                "?XFOO",
            )
        ],
    ),
    "a balance that one side did not see in full": (
        [balance("BTC", "2")],
        exchange(coverage=covering("balances", Coverage.PARTIAL)),
        [
            CannotTell(
                Key(Kind.BALANCES, "BTC", Wallet.SPOT), "the exchange snapshot covers balances only in part", "exchange"
            )
        ],
    ),
    "a hold that differs": (
        [balance("BTC", "1", "0.2")],
        [balance("BTC", "1", "0.5")],
        [
            Agrees(Key(Kind.BALANCES, "BTC", Wallet.SPOT), D("1")),
            Differs(
                Key(Kind.HOLDS, "BTC"),
                (AmountMismatch(Type.HOLD_MISMATCH, "held", D("0.2"), D("0.5"), D("0.3"), stake("0.3", "BTC")),),
                "BTC",
            ),
        ],
    ),
    "a hold that only the book has": (
        [balance("BTC", "1", "0.2"), balance("USD", "1", "0")],
        [balance("USD", "1", "0")],
        [
            InternalOnly(
                Key(Kind.BALANCES, "BTC", Wallet.SPOT), Type.BALANCE_MISMATCH, D("1"), "BTC", stake("-1", "BTC")
            ),
            Agrees(Key(Kind.BALANCES, "USD", Wallet.SPOT), D("1")),
            InternalOnly(Key(Kind.HOLDS, "BTC"), Type.HOLD_MISMATCH, D("0.2"), "BTC", stake("-0.2", "BTC")),
            Agrees(Key(Kind.HOLDS, "USD")),
        ],
    ),
    "a hold that only the exchange has": (
        [balance("USD", "1", "0")],
        [balance("BTC", "1", "0.2"), balance("USD", "1", "0")],
        [
            ExchangeOnly(
                Key(Kind.BALANCES, "BTC", Wallet.SPOT), Type.BALANCE_MISMATCH, D("1"), "BTC", stake("1", "BTC")
            ),
            Agrees(Key(Kind.BALANCES, "USD", Wallet.SPOT), D("1")),
            ExchangeOnly(Key(Kind.HOLDS, "BTC"), Type.HOLD_MISMATCH, D("0.2"), "BTC", stake("0.2", "BTC")),
            Agrees(Key(Kind.HOLDS, "USD")),
        ],
    ),
    "a hold under a name that nobody knows": (
        [balance("?X", "1", "0.2"), balance("USD", "1", "0")],
        [balance("USD", "1", "0")],
        [
            InternalOnly(Key(Kind.BALANCES, "?X", Wallet.SPOT), Type.UNRESOLVED_NAME, D("1"), "?X", stake("-1", "?X")),
            Agrees(Key(Kind.BALANCES, "USD", Wallet.SPOT), D("1")),
            InternalOnly(Key(Kind.HOLDS, "?X"), Type.UNRESOLVED_NAME, D("0.2"), "?X", stake("-0.2", "?X")),
            Agrees(Key(Kind.HOLDS, "USD")),
        ],
    ),
    "a hold above the total": (
        [balance("BTC", "1", "1.5")],
        [balance("BTC", "1", "1.5")],
        [
            Agrees(Key(Kind.BALANCES, "BTC", Wallet.SPOT), D("1")),
            Agrees(Key(Kind.HOLDS, "BTC"), D("1.5")),
            Differs(
                Key(Kind.SOURCES, "holds:BTC", "exchange"),
                (
                    Inconsistent(
                        Type.SOURCE_INCONSISTENT, "exchange", "held above total", "1.5", "1", "BTC", stake("0.5", "BTC")
                    ),
                ),
                "BTC",
            ),
            Differs(
                Key(Kind.SOURCES, "holds:BTC", "internal"),
                (
                    Inconsistent(
                        Type.SOURCE_INCONSISTENT, "internal", "held above total", "1.5", "1", "BTC", stake("0.5", "BTC")
                    ),
                ),
                "BTC",
            ),
        ],
    ),
    "a position of another size": (
        [position("5", price="0.6")],
        [position("7", price="0.6")],
        [
            Differs(
                Key(Kind.POSITIONS, "XRP/USD", "net"),
                (AmountMismatch(Type.QUANTITY_MISMATCH, "quantity", D("5"), D("7"), D("2"), stake("2", "XRP")),),
                "XRP/USD",
            )
        ],
    ),
    "a position of the other side": (
        [position("5")],
        [position("-5")],
        [
            Differs(
                Key(Kind.POSITIONS, "XRP/USD", "net"),
                (AmountMismatch(Type.SIDE_MISMATCH, "quantity", D("5"), D("-5"), D("-10"), stake("-10", "XRP")),),
                "XRP/USD",
            )
        ],
    ),
    "a position at another price": (
        [position("5", price="0.6")],
        [position("5", price="0.7")],
        [
            Differs(
                Key(Kind.POSITIONS, "XRP/USD", "net"),
                (AmountMismatch(Type.COST_BASIS_MISMATCH, "cost", D("3.0"), D("3.5"), D("0.5"), stake("0.5", "USD")),),
                "XRP/USD",
            )
        ],
    ),
    "a position that only the book has": (
        [position("-5")],
        [],
        [
            InternalOnly(
                Key(Kind.POSITIONS, "XRP/USD", "net"),
                Type.POSITION_MISSING_EXCHANGE,
                D("-5"),
                "XRP/USD",
                stake("5", "XRP"),
            )
        ],
    ),
    "a position that only the exchange has": (
        [],
        [position("-5")],
        [
            ExchangeOnly(
                Key(Kind.POSITIONS, "XRP/USD", "net"),
                Type.POSITION_MISSING_INTERNAL,
                D("-5"),
                "XRP/USD",
                stake("-5", "XRP"),
            )
        ],
    ),
    "a position under a name that nobody knows": (
        [position("5", instrument="?X")],
        [position("5", instrument="?X")],
        [
            Differs(
                Key(Kind.POSITIONS, "?X", "net"),
                (AmountMismatch(Type.UNRESOLVED_NAME, "quantity", D("5"), D("5"), D("0")),),
                "?X",
            )
        ],
    ),
    "a lot that only the exchange has": (
        [],
        [position("5", "lot", "P1")],
        [
            ExchangeOnly(
                Key(Kind.POSITIONS, "XRP/USD", "net"),
                Type.POSITION_MISSING_INTERNAL,
                D("5"),
                "XRP/USD",
                stake("5", "XRP"),
            )
        ],
    ),
    "lots that agree": (
        [position("5", "lot", "P1", "0.6")],
        [position("5", "lot", "P1", "0.6")],
        [Agrees(Key(Kind.POSITIONS, "XRP/USD", "P1"), D("5"))],
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_finding_says_all_that_it_has_to(name: str) -> None:
    ours, theirs, expected = WHOLE[name]
    assert list(found(ours, theirs).values()) == expected
