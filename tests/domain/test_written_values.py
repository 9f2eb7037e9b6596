"""Values as text: canonical JSON, plain JSON, instants for people; and names, known and unknown."""

import enum
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gal_friday.domain.aliases import Aliases, renamed
from gal_friday.domain.assets import Asset, Instrument, base_and_quote, unresolved_among
from gal_friday.domain.canonical import canonical, written_exactly
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.instants import exact_instant, instant
from gal_friday.domain.plain import plain
from tests.domain.build import T0, D, balance, fill, internal, movement, order, position

THERE = timezone(timedelta(hours=-5))


def nested(levels: int) -> Any:
    inner: Any = 1
    for _ in range(levels):
        inner = [inner]
    return inner


CANONICAL: list[tuple[dict[str, Any], str]] = [
    ({}, "{}"),
    ({"b": 1, "a": [None, True, False, "é\n"]}, '{"a":[null,true,false,"é\\n"],"b":1}'),
    ({"n": 2**53 - 1, "m": -(2**53) + 1}, '{"m":-9007199254740991,"n":9007199254740991}'),
    ({"a": D("1E-8"), "b": (D("-0.0"), D("1.50"))}, '{"a":"0.00000001","b":["0","1.50"]}'),
    ({"at": T0}, '{"at":"2026-01-31T12:00:00.000000Z"}'),
    ({"in": {"B": 1, "a": 2, "A": 3}}, '{"in":{"A":3,"B":1,"a":2}}'),
    # RFC 8785, section 3.2.3: U+1F600 is written as the code units D83D DE00, and so stands before U+FB33.
    ({"\ufb33": 1, "\U0001f600": 2, "é": 3}, '{"é":3,"\U0001f600":2,"\ufb33":1}'),
    ({"deep": nested(31)}, '{"deep":' + "[" * 31 + "1" + "]" * 31 + "}"),
]


@pytest.mark.parametrize("value, text", CANONICAL)
def test_a_value_has_one_text(value: dict[str, Any], text: str) -> None:
    assert canonical(value) == text.encode()


NOT_WRITTEN: list[tuple[dict[Any, Any], str]] = [
    ({"a": 0.5}, "float has no place in a fact; write text, a whole number or a flag"),
    ({"a": b"x"}, "bytes has no place in a fact; write text, a whole number or a flag"),
    ({"a": 2**53}, "9007199254740992 is beyond 9007199254740991, which not every reader keeps; write it as text"),
    ({"a": -(2**53)}, "-9007199254740992 is beyond 9007199254740991, which not every reader keeps; write it as text"),
    ({"a": {1: 2}}, "a key that is no text; write it as text"),
    ({"a": "\ud800"}, "half a character (a lone surrogate) cannot be written; write the whole one"),
    ({"\ud800": "a"}, "half a character (a lone surrogate) cannot be written; write the whole one"),
    ({"a": datetime(2026, 1, 31)}, "2026-01-31T00:00:00 has no time zone; pass an aware instant"),  # noqa: DTZ001
    ({"deep": nested(32)}, "nested deeper than 32 levels; flatten it"),
]


@pytest.mark.parametrize("value, said", NOT_WRITTEN)
def test_what_has_no_one_text_is_refused(value: dict[Any, Any], said: str) -> None:
    with pytest.raises(MalformedFact) as refused:
        canonical(value)
    assert str(refused.value) == said


def test_instants_are_written_so_that_texts_sort_as_they_do() -> None:
    assert written_exactly(datetime(2026, 1, 31, 7, 0, 0, 5, THERE)) == "2026-01-31T12:00:00.000005Z"
    assert written_exactly(datetime(999, 1, 1, tzinfo=THERE)).startswith("0999-01-01T05:00:00")


def test_people_are_told_instants_in_utc_whatever_their_zone() -> None:
    there = datetime(2026, 1, 31, 23, 4, 5, 67_999, THERE)
    assert (instant(there), exact_instant(there)) == ("2026-02-01 04:04:05 UTC", "2026-02-01T04:04:05.067Z")


class Word(enum.StrEnum):
    """A word."""

    ONE = "one"


class Shape(msgspec.Struct):
    """Something with an amount."""

    amount: Decimal
    at: datetime
    words: tuple[Word, ...]


def test_plain_values_keep_everything_but_exponents() -> None:
    shape = Shape(D("1E-8"), T0, (Word.ONE,))
    written = {"amount": "0.00000001", "at": "2026-01-31T12:00:00Z", "words": ["one"]}
    assert plain({"a": shape, "b": [D("1E+3"), [D("-0")]], "c": 0.5}) == {"a": written, "b": ["1000", ["0"]], "c": 0.5}
    assert (plain(D("1E-8")), plain(D("0.00")), plain((D("1.50"),)), plain(7)) == ("0.00000001", "0", ["1.50"], 7)


def test_names_that_nobody_knows_are_found_among_many() -> None:
    names = [Asset("BTC"), Asset("?XFOO"), Asset("A?B"), Asset("?")]
    assert unresolved_among(names) == {"?XFOO", "?"}
    assert unresolved_among(names[:1]) == frozenset()
    assert base_and_quote(Instrument("BTC/USD/X:Y:Z")) == ("BTC", "USD/X")


OURS = [
    balance("xbt", "1"),
    balance("USD", "2"),
    position("3", instrument="xbtusd"),
    position("3", instrument="XRP/USD"),
    order("O1", instrument="xbtusd"),
    order("O2"),
    fill("T1", fee="1", fee_asset="xbt", instrument="xbtusd"),
    fill("T2", fee="1", fee_asset="USD"),
    fill("T3"),
    movement("L1", asset="xbt"),
    movement("L2"),
]


def test_what_a_trading_system_calls_otherwise_is_renamed_everywhere_and_nothing_else_is() -> None:
    aliases = Aliases({"xbt": Asset("BTC")}, {"xbtusd": Instrument("BTC/USD")})
    assert renamed(internal(*OURS), aliases) == internal(
        balance("BTC", "1"),
        balance("USD", "2"),
        position("3", instrument="BTC/USD"),
        position("3", instrument="XRP/USD"),
        order("O1", instrument="BTC/USD"),
        order("O2"),
        fill("T1", fee="1", fee_asset="BTC", instrument="BTC/USD"),
        fill("T2", fee="1", fee_asset="USD"),
        fill("T3"),
        movement("L1", asset="BTC"),
        movement("L2"),
    )


def test_assets_alone_or_instruments_alone_are_renamed_too() -> None:
    ours = internal(balance("xbt", "1"), position("3", instrument="xbtusd"))
    assets, instruments = Aliases({"xbt": Asset("BTC")}), Aliases(instruments={"xbtusd": Instrument("BTC/USD")})
    assert renamed(ours, assets) == internal(balance("BTC", "1"), position("3", instrument="xbtusd"))
    assert renamed(ours, instruments) == internal(balance("xbt", "1"), position("3", instrument="BTC/USD"))
    assert renamed(ours, Aliases()) is ours
