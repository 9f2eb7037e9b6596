"""What is found of fills, orders and movements, whole: every field that a report shows."""

import pytest

from gal_friday.domain.assets import Wallet
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    TextMismatch,
)
from gal_friday.domain.records import Kind
from tests.domain.build import D, at, fill, found, movement, order, stake

Type = DiscrepancyType

WHOLE: dict[str, tuple[object, object, list[Finding]]] = {
    "a fill with other terms": (
        [fill("T1")],
        [fill("T1", "50", "0.7", side="sell", order_id="OY")],
        [
            Differs(
                Key(Kind.FILLS, "T1"),
                (
                    TextMismatch(Type.FILL_MISMATCH, "side", "buy", "sell", stake("-59.0", "USD")),
                    TextMismatch(Type.FILL_MISMATCH, "order_id", "OX", "OY"),
                    AmountMismatch(Type.FILL_MISMATCH, "quantity", D("40"), D("50"), D("10"), stake("-7.0", "USD")),
                    AmountMismatch(Type.FILL_MISMATCH, "price", D("0.6"), D("0.7"), D("0.1"), stake("-5.0", "USD")),
                ),
                "XRP/USD",
                at(-30),
            )
        ],
    ),
    "a fill of another instrument": (
        [fill("T1")],
        [fill("T1", instrument="XRP/EUR")],
        [
            Differs(
                Key(Kind.FILLS, "T1"),
                (TextMismatch(Type.FILL_MISMATCH, "instrument", "XRP/USD", "XRP/EUR", stake("24.0", "EUR")),),
                "XRP/EUR",
                at(-30),
            )
        ],
    ),
    "a fill on margin that the book has as spot": (
        [fill("T1")],
        [fill("T1", margin=True)],
        [
            Differs(
                Key(Kind.FILLS, "T1"),
                (TextMismatch(Type.FILL_MISMATCH, "margin", "spot", "on margin", stake("24.0", "USD")),),
                "XRP/USD",
                at(-30),
            )
        ],
    ),
    "a fill with another fee": (
        [fill("T1", fee="0.06", fee_asset="USD")],
        [fill("T1", fee="0.07", fee_asset="USD")],
        [
            Differs(
                Key(Kind.FILLS, "T1"),
                (AmountMismatch(Type.FILL_MISMATCH, "fee", D("0.06"), D("0.07"), D("0.01"), stake("-0.01", "USD")),),
                "XRP/USD",
                at(-30),
            )
        ],
    ),
    "a fill with a fee of another asset": (
        [fill("T1", fee="0.06", fee_asset="USD")],
        [fill("T1", fee="0.1", fee_asset="XRP")],
        [
            Differs(
                Key(Kind.FILLS, "T1"),
                (TextMismatch(Type.FILL_MISMATCH, "fee", "0.06 USD", "0.1 XRP", stake("-0.1", "XRP")),),
                "XRP/USD",
                at(-30),
            )
        ],
    ),
    "a fill that agrees": (
        [fill("T1")],
        [fill("T1", "40.00000001")],
        [Agrees(Key(Kind.FILLS, "T1"), D("40"), D("1E-8"))],
    ),
    "a fill that only the book has": (
        [fill("T1", side="sell")],
        [],
        [
            InternalOnly(
                Key(Kind.FILLS, "T1"), Type.FILL_MISSING_EXCHANGE, D("-40"), "XRP/USD", stake("24.0", "USD"), at(-30)
            )
        ],
    ),
    "a fill that only the exchange has": (
        [],
        [fill("T1", side="sell")],
        [
            ExchangeOnly(
                Key(Kind.FILLS, "T1"), Type.FILL_MISSING_INTERNAL, D("-40"), "XRP/USD", stake("-24.0", "USD"), at(-30)
            )
        ],
    ),
    "a fill that the exchange lists twice": (
        [],
        [fill("T1"), fill("T1", "41")],
        [
            ExchangeOnly(
                Key(Kind.FILLS, "T1"),
                Type.FILL_MISSING_INTERNAL,
                D("41"),
                "XRP/USD",
                stake("24.6", "USD"),
                at(-30),
                (
                    Inconsistent(
                        Type.IDENTITY_CONFLICT, "exchange", "times listed", "2", "1", "XRP/USD", stake("-24.0", "USD")
                    ),
                ),
            )
        ],
    ),
    "a fill that the book lists twice": (
        [fill("T1"), fill("T1")],
        [fill("T1")],
        [
            Differs(
                Key(Kind.FILLS, "T1"),
                (
                    Inconsistent(
                        Type.FILL_DUPLICATED, "internal", "times listed", "2", "1", "XRP/USD", stake("-24.0", "USD")
                    ),
                ),
                "XRP/USD",
                at(-30),
            )
        ],
    ),
    "an order with other terms": (
        [order("O1")],
        [order("O1", quantity="90", price="0.7", side="sell", client="mine")],
        [
            Differs(
                Key(Kind.ORDERS, "O1"),
                (
                    TextMismatch(Type.ORDER_TERMS_MISMATCH, "side", "buy", "sell", stake("-123.0", "USD")),
                    AmountMismatch(
                        Type.ORDER_TERMS_MISMATCH, "quantity", D("100"), D("90"), D("-10"), stake("7.0", "USD")
                    ),
                    AmountMismatch(
                        Type.ORDER_TERMS_MISMATCH, "price", D("0.6"), D("0.7"), D("0.1"), stake("-9.0", "USD")
                    ),
                ),
                "XRP/USD",
                at(-60),
            )
        ],
    ),
    "an order of another instrument": (
        [order("O1")],
        [order("O1", instrument="XRP/EUR")],
        [
            Differs(
                Key(Kind.ORDERS, "O1"),
                (TextMismatch(Type.ORDER_TERMS_MISMATCH, "instrument", "XRP/USD", "XRP/EUR", stake("60.0", "EUR")),),
                "XRP/EUR",
                at(-60),
            )
        ],
    ),
    "an order in another state": (
        [order("O1", filled="10")],
        [order("O1", "canceled", filled="20")],
        [
            Differs(
                Key(Kind.ORDERS, "O1"),
                (
                    TextMismatch(Type.ORDER_STATE_MISMATCH, "status", "open", "canceled", stake("12.0", "USD")),
                    AmountMismatch(Type.ORDER_STATE_MISMATCH, "filled", D("10"), D("20"), D("10"), stake("6.0", "USD")),
                ),
                "XRP/USD",
                at(-30),
            ),
            Differs(
                Key(Kind.SOURCES, "order:O1", "exchange"),
                (
                    Inconsistent(
                        Type.ORDER_FILLS_MISMATCH, "exchange", "filled against its fills", "20", "0", "XRP/USD"
                    ),
                ),
                "XRP/USD",
            ),
            Differs(
                Key(Kind.SOURCES, "order:O1", "internal"),
                (
                    Inconsistent(
                        Type.ORDER_FILLS_MISMATCH, "internal", "filled against its fills", "10", "0", "XRP/USD"
                    ),
                ),
                "XRP/USD",
            ),
        ],
    ),
    "an order that agrees": ([order("O1")], [order("O1")], [Agrees(Key(Kind.ORDERS, "O1"), D("100"))]),
    "an order that only the book has": (
        [order("O1", filled="10")],
        [],
        [
            InternalOnly(
                Key(Kind.ORDERS, "O1"), Type.ORDER_MISSING_EXCHANGE, D("100"), "XRP/USD", stake("-60.0", "USD"), at(-60)
            ),
            Differs(
                Key(Kind.SOURCES, "order:O1", "internal"),
                (
                    Inconsistent(
                        Type.ORDER_FILLS_MISMATCH, "internal", "filled against its fills", "10", "0", "XRP/USD"
                    ),
                ),
                "XRP/USD",
            ),
        ],
    ),
    "an order that only the exchange has": (
        [],
        [order("O1", filled="10", client="mine")],
        [
            ExchangeOnly(
                Key(Kind.ORDERS, "O1"), Type.ORDER_NOT_TRACKED, D("100"), "XRP/USD", stake("60.0", "USD"), at(-60)
            ),
            Differs(
                Key(Kind.SOURCES, "order:O1", "exchange"),
                (
                    Inconsistent(
                        Type.ORDER_FILLS_MISMATCH, "exchange", "filled against its fills", "10", "0", "XRP/USD"
                    ),
                ),
                "XRP/USD",
            ),
        ],
    ),
    "an order that is over, and that only the exchange has": (
        [],
        [order("O1", "filled", filled="100", side="sell")],
        [
            ExchangeOnly(
                Key(Kind.ORDERS, "O1"), Type.ORDER_NOT_TRACKED, D("100"), "XRP/USD", stake("-60.0", "USD"), at(-60)
            ),
            Differs(
                Key(Kind.SOURCES, "order:O1", "exchange"),
                (
                    Inconsistent(
                        Type.ORDER_FILLS_MISMATCH, "exchange", "filled against its fills", "100", "0", "XRP/USD"
                    ),
                ),
                "XRP/USD",
            ),
        ],
    ),
    "a movement that differs": (
        [movement("L1", kind="deposit")],
        [movement("L1", "41", kind="deposit", fee="0.5")],
        [
            Differs(
                Key(Kind.MOVEMENTS, "L1"),
                (AmountMismatch(Type.MOVEMENT_MISMATCH, "amount", D("40"), D("40.5"), D("0.5"), stake("0.5", "XRP")),),
                "XRP",
                at(-30),
            )
        ],
    ),
    "a movement of another asset": (
        [movement("L1", kind="deposit")],
        [movement("L1", asset="BTC", kind="deposit", wallet=Wallet.EARN)],
        [
            Differs(
                Key(Kind.MOVEMENTS, "L1"),
                (
                    TextMismatch(Type.MOVEMENT_MISMATCH, "asset", "XRP", "BTC", stake("40", "BTC")),
                    TextMismatch(Type.MOVEMENT_MISMATCH, "wallet", Wallet.SPOT, Wallet.EARN, stake("40", "BTC")),
                ),
                "BTC",
                at(-30),
            )
        ],
    ),
    "a movement that agrees": (
        [movement("L1", kind="deposit")],
        [movement("L1", kind="deposit")],
        [Agrees(Key(Kind.MOVEMENTS, "L1"), D("40"))],
    ),
    "a movement that only the book has": (
        [movement("L1", kind="deposit")],
        [],
        [
            InternalOnly(
                Key(Kind.MOVEMENTS, "L1"), Type.MOVEMENT_MISSING_EXCHANGE, D("40"), "XRP", stake("-40", "XRP"), at(-30)
            )
        ],
    ),
    "a movement that only the exchange has": (
        [],
        [movement("L1", kind="deposit", fee="1")],
        [
            ExchangeOnly(
                Key(Kind.MOVEMENTS, "L1"), Type.MOVEMENT_MISSING_INTERNAL, D("39"), "XRP", stake("39", "XRP"), at(-30)
            )
        ],
    ),
    "an opening, which only the book has": (
        [movement("L1", kind="opening")],
        [],
        [Agrees(Key(Kind.MOVEMENTS, "L1"), D("40"))],
    ),
    "a movement without an amount, which only the exchange has": (
        [],
        [movement("L1", "0", kind="rollover")],
        [Agrees(Key(Kind.MOVEMENTS, "L1"))],
    ),
    "a movement without an amount, which only the book has": (
        [movement("L1", "0", kind="rollover")],
        [],
        [Agrees(Key(Kind.MOVEMENTS, "L1"))],
    ),
    "legs of one fill that agree": (
        [movement("A1", refers_to="T1")],
        [movement("L1", refers_to="T1")],
        [Agrees(Key(Kind.MOVEMENTS, "T1", "XRP:spot"), D("40"))],
    ),
    "legs of one fill that differ": (
        [movement("A1", refers_to="T1")],
        [movement("L1", "39", refers_to="T1")],
        [
            Differs(
                Key(Kind.MOVEMENTS, "T1", "XRP:spot"),
                (AmountMismatch(Type.MOVEMENT_MISMATCH, "amount", D("40"), D("39"), D("-1"), stake("-1", "XRP")),),
                "XRP",
                at(-30),
            )
        ],
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_finding_says_all_that_it_has_to(name: str) -> None:
    ours, theirs, expected = WHOLE[name]
    assert list(found(ours, theirs).values()) == expected
