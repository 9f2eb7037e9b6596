"""Answers as values: exact, complete, or refused by name. Nothing else comes out, whatever goes in."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.kraken import wire
from gal_friday.ports.errors import ExchangeMalformed

HERE = ("Ledgers", "L1")


@pytest.mark.parametrize(
    "value, expected",
    [
        ('"0.1"', "0.1"),
        ('"-1500.00000000"', "-1500.00000000"),
        ('"+154186.9728"', "154186.9728"),
        ('"0E-10"', "0E-10"),
        ('"5.4E-9"', "5.4E-9"),
        ("0.1", "0.1"),
        ("0.12345678901234567891", "0.12345678901234567891"),
        ("12345678901234567891", "12345678901234567891"),
        ("7", "7"),
        ('"00012.50"', "12.50"),
    ],
)
def test_an_amount_keeps_every_digit_as_text_or_as_number(value: str, expected: str) -> None:
    row = wire.envelope(f'{{"error":[],"result":{{"a":{value}}}}}'.encode()).result
    amount = wire.amount(row, "a", HERE)
    assert str(amount) == str(Decimal(expected))


@pytest.mark.parametrize("value", ["-0", "-0.00", "-0E-8", "0", "0.0000"])
def test_zero_has_no_sign(value: str) -> None:
    assert not wire.amount({"a": value}, "a", HERE).is_signed()


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "nan",
        "Infinity",
        "-inf",
        "sNaN",
        "",
        " 1",
        "1 ",
        "1_000",
        "1,000",
        "0x10",
        "1e99999",
        "1e500",
        "1" * 21,
        "1" * 60,
        "0." + "1" * 21,
        "1e20",
        "1e-21",
        "0." + "1" * 40,
        "١٢",
        "--1",
        ".",
        None,
        True,
        [],
        {},
    ],
)
def test_what_is_no_amount_is_refused_with_endpoint_row_and_field(value: Any) -> None:
    with pytest.raises(ExchangeMalformed, match="Ledgers, row L1, field amount"):
        wire.amount({"amount": value}, "amount", HERE)


@pytest.mark.parametrize(
    "text, micros",
    [
        ("1610464484.1787", 1610464484178700),
        ("1610464484.1234567", 1610464484123456),
        ("1610464484.9999999", 1610464484999999),
        ("0", 0),
        ("1610464484.", None),
        ("1610464484.0000001", 1610464484000000),
        ("-1", None),
        ("1e9", None),
        ("99999999999999", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_time_is_exact_to_the_microsecond_or_refused(text: str, micros: int | None) -> None:
    if micros is None:
        with pytest.raises(ExchangeMalformed, match="field time"):
            wire.instant(text, "time", HERE)
    else:
        at = wire.instant(text, "time", HERE)
        assert int(at.timestamp()) * 10**6 + at.microsecond == micros


@pytest.mark.parametrize(
    "body",
    [
        '{"error":[],"result":{"L1":{"a":1},"L1":{"a":2}}}',
        '{"error":[],"result":{"L1":{"a":1,"a":2}}}',
        '{"error":[],"error":[],"result":{}}',
        '{"error" : [],"result" : {"a" : 1, "a" : 2}}',
        '{"error":[],"result":[{"a":1},{"b":1,"b":2}]}',
    ],
)
def test_a_name_that_stands_twice_is_refused_because_a_row_would_vanish(body: str) -> None:
    with pytest.raises(wire.Unreadable, match="twice"):
        wire.envelope(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        '{"error" : [], "result" : {"a" : {"b" : 1}}}',
        '{"error":[],"result":{"a":"says \\"b\\":1"}}',
        '{"error":[],"result":{"a\\":":1}}',
    ],
)
def test_unusual_writing_is_no_name_that_stands_twice(body: str) -> None:
    assert wire.envelope(body.encode()).result == json.loads(body)["result"]


@pytest.mark.parametrize(
    "error, texts",
    [
        ("[]", ()),
        ("null", ()),
        ('""', ()),
        ('"EService:Busy"', ("EService:Busy",)),
        ('["EAPI:Invalid key","W1"]', ("EAPI:Invalid key", "W1")),
    ],
)
def test_errors_come_as_list_as_text_or_not_at_all(error: str, texts: tuple[str, ...]) -> None:
    assert wire.envelope(f'{{"error":{error}}}'.encode()).errors == texts


@given(st.binary(max_size=200))
def test_no_bytes_break_the_envelope(body: bytes) -> None:
    with suppress(wire.Unreadable):
        wire.envelope(body)


def test_a_body_of_many_brackets_is_unreadable_and_does_no_harm() -> None:
    for body in (b"[" * 200_000, b'{"error":[],"result":' * 50_000):
        with pytest.raises(wire.Unreadable):
            wire.envelope(body)


@pytest.mark.parametrize("text", ["dep\x1b[2Josit", "a\nb", "a\0b", "a\u202eb", "x" * 1001])
def test_a_word_that_cannot_be_shown_is_refused_and_quoted_harmlessly(text: str) -> None:
    for read in (wire.word, wire.word_or_empty):
        with pytest.raises(ExchangeMalformed) as wrong:
            read({"type": text}, "type", HERE)
        assert str(wrong.value).isprintable()
        assert len(str(wrong.value)) < 300


def test_an_id_that_cannot_be_shown_is_quoted_harmlessly() -> None:
    with pytest.raises(ExchangeMalformed) as wrong:
        wire.rows_of({"L\x1b[2J1": {}}, "Ledgers")
    assert str(wrong.value).isprintable()
