"""What is pushed is read to the digit, or refused with its place."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gal_friday.domain.pushed import BATCH_MAX, MalformedPush, Pushed, read_pushed, write_pushed

FILL = {
    "fill_id": "T1",
    "instrument": "BTC/USD",
    "side": "buy",
    "quantity": "0.1",
    "price": "60000",
    "at": "2026-01-31T12:00:00Z",
}


def push(*rows: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"account": "main", "fills": rows} | more).encode()


def place_of(data: bytes) -> str:
    with pytest.raises(MalformedPush) as refused:
        read_pushed(data, "fills")
    return refused.value.place


@pytest.mark.parametrize("written", ["0.100000000000000005", "12345678901234567890.123456789012345678", "1E-8", "0.1"])
def test_text_and_bare_numbers_are_read_to_the_digit(written: str) -> None:  # I1
    bare = push(FILL | {"quantity": "HERE"}).replace(b'"HERE"', written.encode())
    for data in (bare, push(FILL | {"quantity": written})):
        (fill,) = read_pushed(data, "fills").fills
        assert format(fill.quantity, "f") == format(Decimal(written), "f")


@pytest.mark.parametrize(
    "quantity",
    ["NaN", "Infinity", "-1", "1_000", " 1", "1" * 60, "0." + "1" * 31, "", "0x1", True, None, [], {}, "１"],
)
def test_what_is_no_size_is_refused_with_its_index_and_field(quantity: Any) -> None:
    assert place_of(push(FILL, FILL | {"quantity": quantity})) == "fills[1].quantity"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1", "1" * 60])
def test_a_bare_number_that_is_none_is_refused_too(number: str) -> None:
    data = push(FILL | {"quantity": "HERE"}).replace(b'"HERE"', number.encode())
    assert place_of(data) == "fills[0].quantity"


@pytest.mark.parametrize(
    "row, place",
    [
        ({"fill_id": ""}, "fills[0].fill_id"),
        ({"side": "long"}, "fills[0].side"),
        ({"at": "2026-01-31T12:00:00"}, "fills[0].at"),
        ({"at": "0001-01-01T00:00:00Z"}, "fills[0].at"),
        ({"instrument": "BTC\u0000USD"}, "fills[0].instrument"),
        ({"margin": "yes"}, "fills[0].margin"),
    ],
)
def test_any_field_that_cannot_be_read_is_named(row: dict[str, Any], place: str) -> None:
    assert place_of(push(FILL | row)) == place


@pytest.mark.parametrize(
    "data, place",
    [
        (b"{}", "account"),
        (b"[]", ""),
        (b"", ""),
        (b"\xff", ""),
        (push(account=""), "account"),
        (push(account=7), "account"),
        (b'{"account": "main"}', "fills"),
        (push(fills={}), "fills"),
        (push(orders=[]), "orders"),
        (b'{"account": "main", "account": "main", "fills": []}', "account"),
        (b'{"account": "main", "fills": [' + b"[" * 50_000, ""),
    ],
)
def test_a_batch_that_is_none_is_refused(data: bytes, place: str) -> None:
    assert place_of(data) == place


def test_a_batch_has_its_bound() -> None:
    assert read_pushed(push(*[FILL] * 3), "fills").fills[2].fill_id == "T1"
    assert place_of(b'{"account": "main", "fills": [' + b"1," * BATCH_MAX + b"1]}") == "fills"


def test_a_field_that_nobody_knows_is_kept() -> None:
    (fill,) = read_pushed(push(FILL | {"strategy": {"leg": 1}}), "fills").fills
    assert fill.extra == {"strategy": {"leg": 1}}


def test_movements_and_orders_are_read_alike() -> None:
    movement = {"movement_id": "L", "kind": "trade", "asset": "BTC", "amount": "-1", "at": FILL["at"]}
    order = {
        "client_order_id": "c",
        "instrument": "BTC/USD",
        "side": "buy",
        "quantity": "1",
        "filled": "0",
        "status": "open",
    }
    data = {"account": "main", "movements": [movement]}
    assert read_pushed(json.dumps(data).encode(), "movements").movements[0].amount == -1
    assert read_pushed(json.dumps({"account": "a", "orders": [order]}).encode(), "orders").orders[0].name == "c"
    del order["client_order_id"]
    with pytest.raises(MalformedPush, match="order_id"):
        read_pushed(json.dumps({"account": "a", "orders": [order]}).encode(), "orders")


@pytest.mark.parametrize(
    "data, place, said",
    [
        (b'{"fills": []}', "account", "account: missing, and nothing can stand in for it"),
        (b'{"account": "main"}', "fills", "fills: missing, and nothing can stand in for it"),
        (push(orders=[]), "orders", "orders: unknown; known are account, fills"),
        (push(account=""), "account", "account: empty; give it or leave the field out"),
        (push(FILL, FILL | {"side": 1}), "fills[1].side", "fills[1].side: the number 1 is none of buy, sell"),
        (
            b'{"account": "main", "fills": [' + b"1," * BATCH_MAX + b"1]}",
            "fills",
            "fills: 10001 records in one call, of at most 10000; send them in parts",
        ),
        (b"[]", "", "expected an object, found a list"),
    ],
    ids=["no account", "no records", "another kind", "an empty name", "a wrong field", "too many", "no object"],
)
def test_what_is_refused_is_said_with_its_place_and_the_way_out(data: bytes, place: str, said: str) -> None:
    with pytest.raises(MalformedPush) as refused:
        read_pushed(data, "fills")
    assert (str(refused.value), refused.value.place) == (said, place)
    assert refused.value.reason == said.removeprefix(f"{place}: ")


def test_a_batch_of_as_many_as_are_allowed_is_read_row_by_row() -> None:
    assert place_of(b'{"account": "main", "fills": [' + b"1," * (BATCH_MAX - 1) + b"1]}") == "fills[0]"


def test_what_is_written_is_read_back_and_holds_nothing_else() -> None:
    read = read_pushed(push(FILL), "fills")
    assert read == Pushed(account="main", fills=read.fills, movements=(), orders=())
    assert read_pushed(write_pushed("main", "fills", read.fills), "fills") == read
    assert json.loads(write_pushed("a", "orders", [])) == {"account": "a", "orders": []}
