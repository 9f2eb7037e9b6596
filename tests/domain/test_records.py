"""Records and names: what no record may be, and how unknown names survive."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from gal_friday.domain.assets import (
    Asset,
    Instrument,
    Wallet,
    base_and_quote,
    instrument,
    is_unresolved,
    unresolved_asset,
    unresolved_instrument,
)
from gal_friday.domain.errors import GalFridayError, MalformedAmount, MalformedRecord
from gal_friday.domain.records import (
    Balance,
    Fill,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
    known_movement_kind,
    known_status,
)
from tests.domain.build import T0

XRP, PAIR, BUY, ONE = Asset("XRP"), Instrument("XRP/USD"), OrderSide.BUY, Decimal(1)
WRONG: list[Any] = [0.1, 1, float("nan"), Decimal("NaN"), Decimal("Infinity"), "1"]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "build",
    [
        lambda wrong: Balance(XRP, Wallet.SPOT, wrong),
        lambda wrong: Balance(XRP, Wallet.SPOT, ONE, wrong),
        lambda wrong: Position(PAIR, PositionMode.NET, wrong),
        lambda wrong: Position(PAIR, PositionMode.NET, ONE, wrong),
        lambda wrong: Order("O", PAIR, BUY, wrong, ONE, "open"),
        lambda wrong: Order("O", PAIR, BUY, ONE, wrong, "open"),
        lambda wrong: Order("O", PAIR, BUY, ONE, ONE, "open", price=wrong),
        lambda wrong: Fill("T", PAIR, BUY, wrong, ONE, T0),
        lambda wrong: Fill("T", PAIR, BUY, ONE, wrong, T0),
        lambda wrong: Fill("T", PAIR, BUY, ONE, ONE, T0, fee=wrong),
        lambda wrong: Fill("T", PAIR, BUY, ONE, ONE, T0, cost=wrong),
        lambda wrong: Movement("L", "trade", XRP, Wallet.SPOT, wrong, T0),
        lambda wrong: Movement("L", "trade", XRP, Wallet.SPOT, ONE, T0, fee=wrong),
        lambda wrong: Movement("L", "trade", XRP, Wallet.SPOT, ONE, T0, balance_after=wrong),
    ],
)
def test_no_amount_is_ever_a_float_or_nan(build: Callable[[Any], object], wrong: Any) -> None:  # I1
    with pytest.raises(MalformedAmount):
        build(wrong)


def test_a_record_without_an_id_is_refused() -> None:
    with pytest.raises(MalformedRecord, match="id"):
        Fill("", PAIR, BUY, ONE, ONE, T0)
    with pytest.raises(MalformedRecord, match="id"):
        Movement("", "trade", XRP, Wallet.SPOT, ONE, T0)


def test_a_size_below_zero_is_refused() -> None:
    with pytest.raises(MalformedRecord, match="below zero"):
        Fill("T", PAIR, BUY, Decimal("-0.1"), ONE, T0)
    with pytest.raises(MalformedRecord, match="below zero"):
        Order("O", PAIR, BUY, ONE, Decimal(-1), "open")


def test_a_time_without_zone_is_refused() -> None:
    naive = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - the point of the test
    with pytest.raises(MalformedRecord, match="zone"):
        Fill("T", PAIR, BUY, ONE, ONE, naive)
    with pytest.raises(MalformedRecord, match="zone"):
        Order("O", PAIR, BUY, ONE, ONE, "open", updated_at=naive)


def test_every_refusal_can_be_caught_as_ours_and_as_a_value_error() -> None:
    for refusal in (MalformedAmount, MalformedRecord):
        assert issubclass(refusal, GalFridayError)
        assert issubclass(refusal, ValueError)


def test_owed_is_a_negative_balance_and_never_clipped() -> None:
    assert Balance(XRP, Wallet.SPOT, Decimal("-5")).total == Decimal(-5)


def test_a_name_nobody_can_resolve_survives_as_itself() -> None:  # I15
    assert unresolved_asset("XFOO") == "?XFOO"
    assert unresolved_instrument("XFOOZUSD") == "?XFOOZUSD"
    assert is_unresolved("?XFOO")
    assert not is_unresolved("FOO")
    assert unresolved_asset("BTC") != Asset("BTC")


@pytest.mark.parametrize(
    "name, parts",
    [
        ("XRP/USD", ("XRP", "USD")),
        ("AAPLx/USD:VENUE", ("AAPLx", "USD")),
        ("?XRP/USD", None),
        ("XRPUSD", None),
        ("/USD", None),
        ("XRP/", None),
        ("", None),
    ],
)
def test_an_instrument_tells_its_assets_or_says_that_it_does_not(name: str, parts: tuple[str, str] | None) -> None:
    assert base_and_quote(Instrument(name)) == parts


def test_an_instrument_has_its_venue_where_it_needs_one() -> None:
    assert instrument(Asset("XRP"), Asset("USD")) == "XRP/USD"
    assert instrument(Asset("XRP"), Asset("USD"), "FUT") == "XRP/USD:FUT"


def test_an_order_is_called_by_the_exchange_s_id_else_by_the_client_s() -> None:
    both = Order("OX", PAIR, BUY, ONE, ONE, "open", client_order_id="c1")
    client = Order(None, PAIR, BUY, ONE, ONE, "open", client_order_id="c1")
    assert (both.name, client.name, Order(None, PAIR, BUY, ONE, ONE, "open").name) == ("OX", "c1", "?")


def test_unknown_words_are_told_from_known_ones() -> None:  # I15
    assert known_status("open")
    assert not known_status("Open")
    assert known_movement_kind("rollover")
    assert not known_movement_kind("none")
