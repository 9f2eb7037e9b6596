"""JSON without a lost digit: what each reader takes, and the whole of what it says to what it does not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from gal_friday.domain import exact_json
from gal_friday.domain.exact_json import (
    Unreadable,
    a_count,
    a_flag,
    a_note,
    a_size,
    a_text,
    a_word,
    an_amount,
    an_instant,
    an_object,
    by_name,
    each,
    kept,
    parsed,
    shown,
    sound,
    written_instant,
)
from gal_friday.domain.records import OrderSide

D = Decimal
side = a_word(OrderSide)


def value(text: str) -> Any:
    """Return what a file would hold under one name."""
    return parsed(f'{{"v": {text}}}'.encode())["v"]


def refusal(read: Callable[[], Any]) -> tuple[str, str]:
    """Return place and reason of what cannot be read."""
    with pytest.raises(Unreadable) as refused:
        read()
    return refused.value.place, refused.value.reason


def lists(depth: int, inner: str = "") -> str:
    return "[" * depth + inner + "]" * depth


DIGITS = 1000 * "9"
READ: list[tuple[Callable[[Any], Any], str, Any]] = [
    (kept, "null", None),
    (kept, "true", True),
    (kept, '"é\\n"', "é\n"),
    (kept, "0", 0),
    (kept, "-999999999999999999", D("-999999999999999999")),
    (kept, "-99999999999999999", -99999999999999999),
    (kept, "999999999999999999", 999999999999999999),
    (kept, "1000000000000000000", D("1000000000000000000")),
    (kept, "1.50", D("1.50")),
    (kept, DIGITS, D(DIGITS)),
    (kept, '[1, {"a": 0.10}]', [1, {"a": D("0.10")}]),
    (a_text, '"é"', "é"),
    (a_text, f'"{"a" * 500}"', "a" * 500),
    (a_note, '"two\\nlines"', "two\nlines"),
    (a_note, '""', ""),
    (an_amount, '"0.250"', D("0.250")),
    (an_amount, "-0.250", D("-0.250")),
    (a_size, "0", D("0")),
    (a_size, '"1E-30"', D("1E-30")),
    (an_instant, '"1970-01-01T00:00:00Z"', datetime(1970, 1, 1, tzinfo=UTC)),
    (an_instant, '"8999-12-31T23:59:59.999999Z"', datetime(8999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    (an_instant, '"2026-01-31T14:00:00.123456789+02:00"', datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)),
    (a_flag, "false", False),
    (a_flag, "true", True),
    (a_count, "0", 0),
    (a_count, "999999999", 999999999),
    (side, '"sell"', OrderSide.SELL),
    (a_word({"here": "there"}), '"here"', "there"),
]


@pytest.mark.parametrize("read, text, meant", READ)
def test_what_can_be_read_keeps_its_kind_and_its_digits(read: Callable[[Any], Any], text: str, meant: Any) -> None:
    found = read(value(text))
    assert (found, type(found), repr(found)) == (meant, type(meant), repr(meant))


NO_NUMBER = "is no number that can be kept exactly; write it as text"
DEEP = "nested deeper than 32 levels; flatten it"
UNSET = "is no time at which anything happened; leave the field out where it is unknown"
HALF = "half a character (a lone surrogate); write the whole character"
FORTY = "9" * 40
LONG = "501 characters, and a name or an id has at most 500; shorten it"
REFUSED: list[tuple[Callable[[Any], Any], str, str, str]] = [
    (kept, DIGITS + "9", "", f"the number {FORTY} {NO_NUMBER}"),
    (kept, "NaN", "", f"the number NaN {NO_NUMBER}"),
    (kept, "-Infinity", "", f"the number -Infinity {NO_NUMBER}"),
    (kept, "1e99999999999999999999", "", f"the number 1e99999999999999999999 {NO_NUMBER}"),
    (kept, '["\\udfff"]', "", HALF),
    (kept, '{"\\ud800": 1}', "", HALF),
    (kept, '{"a": 1, "a": 2}', "a", "stands twice in one object; keep the one that is true"),
    (kept, lists(32), "", DEEP),
    (kept, lists(31, "1"), "", DEEP),
    (a_text, "7", "", "expected text, found the number 7"),
    (a_text, "null", "", "expected text, found null"),
    (a_text, '""', "", "empty; give it or leave the field out"),
    (a_text, f'"{"é" * 39}\\n{"a" * 9}"', "", f"{'é' * 39 + chr(10)!a} cannot be printed"),
    (a_text, f'"{"a" * 501}"', "", LONG),
    (a_note, "[]", "", "expected text, found a list"),
    (a_note, '"\\ud800"', "", HALF),
    (an_amount, "true", "", 'expected an amount such as "0.25", found true'),
    (an_amount, '"1,5"', "", "'1,5' is no amount: it is not a decimal number such as 0.25 or -1500"),
    (an_amount, "1e40", "", "the number 1e40 is no amount: it has more than 40 digits before the point"),
    (a_size, '"-0.1"', "", "must not be negative: side or mode tells the direction"),
    (an_instant, "1", "", "expected text, found the number 1"),
    (an_instant, '"noon"', "", "'noon' is no time such as 2026-01-31T12:00:00Z"),
    (an_instant, '"0001-01-01T00:00+01:00"', "", "'0001-01-01T00:00+01:00' is no time such as 2026-01-31T12:00:00Z"),
    (an_instant, '"2026-01-31T12:00"', "", "'2026-01-31T12:00' has no time zone; write 2026-01-31T12:00:00Z"),
    (an_instant, '"1969-12-31T23:59:59.999999Z"', "", f"'1969-12-31T23:59:59.999999Z' {UNSET}"),
    (an_instant, '"9000-01-01T00:00:00Z"', "", f"'9000-01-01T00:00:00Z' {UNSET}"),
    (a_flag, "0", "", "expected true or false, found the number 0"),
    (a_flag, '"no"', "", "expected true or false, found 'no'"),
    (a_count, '"8"', "", "expected a whole number such as 8, found '8'"),
    (a_count, "-1", "", "expected a whole number such as 8, found the number -1"),
    (a_count, "1000000000", "", "expected a whole number such as 8, found the number 1000000000"),
    (side, '"long"', "", "'long' is none of buy, sell"),
    (side, "1", "", "the number 1 is none of buy, sell"),
    (a_word({"a": "b", "c": "d"}), "{}", "", "an object is none of a, c"),
    (an_object, "[]", "", "expected an object, found a list"),
    (lambda rows: each(rows, a_flag), "{}", "", "expected a list, found an object; write [] if there are none"),
    (lambda rows: each(rows, a_flag, ".fills"), "1", "fills", ("expected a list, found the number 1; "
        "write [] if there are none")),
    (lambda rows: each(rows, a_flag, ".fills"), "[true, 1]", "fills[1]", "expected true or false, found the number 1"),
    (by_name(a_count, a_text), '{"BTC": 8, "USD": true}', "USD", "expected a whole number such as 8, found true"),
    (by_name(a_count, a_text), '{"\\n": 8}', "\\n", "'\\n' cannot be printed"),
]  # fmt: skip


@pytest.mark.parametrize("read, text, place, reason", REFUSED)
def test_what_cannot_be_read_is_told_with_its_place_and_the_way_out(
    read: Callable[[Any], Any], text: str, place: str, reason: str
) -> None:
    assert refusal(lambda: read(value(text))) == (place, reason)


def test_thirty_two_levels_are_read_the_file_itself_counted() -> None:
    assert kept(value(lists(31))) == value(lists(31))
    assert str(kept(value(lists(30, "1")))) == lists(30, "1")
    assert str(kept(value(lists(30, "{}")))) == lists(30, "{}")


def test_names_and_rows_are_read_in_their_order() -> None:
    assert each(value("[true, false]"), a_flag) == (True, False)
    assert list(by_name(a_count, str.lower)(value('{"USD": 2, "BTC": 8}')).items()) == [("usd", 2), ("btc", 8)]


WHOLE_FILES = [
    (b"[]", "expected an object, found a list"),
    (b'{"a": \xff}', "not UTF-8 (byte 6); save the file as UTF-8"),
    (b'{\n "a" 1}', "not JSON at line 2 column 6: Expecting ':' delimiter; was the file written to its end?"),
    (lists(100_000).encode(), DEEP),
]


@pytest.mark.parametrize("data, reason", WHOLE_FILES)
def test_a_file_that_is_none_says_what_it_is(data: bytes, reason: str) -> None:
    assert refusal(lambda: parsed(data)) == ("", reason)


def test_a_file_is_as_large_as_a_million_records_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (exact_json.BYTES_MAX, exact_json.DEPTH_MAX, exact_json.TEXT_CHARS_MAX) == (268_435_456, 32, 500)
    monkeypatch.setattr(exact_json, "BYTES_MAX", 9)
    assert parsed(b'{"a": []}') == {"a": []}
    too_large = "larger than 9 bytes; compare it as a table (CSV, Parquet, database) instead"
    assert refusal(lambda: parsed(b'{"a": [] }')) == ("", too_large)


def test_a_mark_at_the_beginning_is_no_part_of_the_file() -> None:
    assert parsed(b'\xef\xbb\xbf{"a": true}') == {"a": True}


def test_a_place_is_printable_and_no_longer_than_a_line_of_it() -> None:
    wrong = Unreadable("why", ".quantity").under("[3]").under(".fills")
    assert (str(wrong), wrong.reason, wrong.place) == ("why", "why", "fills[3].quantity")
    assert Unreadable("why", ".é").place == "é"
    assert Unreadable("why", ".é\n").place == "\\xe9\\n"
    assert Unreadable("why", "." + "a" * 300).place == "a" * 200
    assert Unreadable("why").place == ""


@pytest.mark.parametrize(
    "found, said",
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ([], "a list"),
        ({}, "an object"),
        ("é" * 41, f"'{'é' * 40}'"),
        ("é\n", "'\\xe9\\n'"),
        (value("9" * 41), f"the number {FORTY}"),
    ],
)
def test_what_was_found_is_shown_short_and_printable(found: object, said: str) -> None:
    assert shown(found) == said


@pytest.mark.parametrize("text", ["", "plain", "é", "\ud7ff\ue000", "𝄞"])
def test_whole_characters_are_taken_as_they_are(text: str) -> None:
    assert sound(text) == text


@pytest.mark.parametrize("text", [chr(0xD800), chr(0xDFFF), "ab" + chr(0xDC00)])
def test_half_a_character_is_refused_wherever_it_stands(text: str) -> None:
    assert refusal(lambda: sound(text)) == ("", HALF)


def test_an_instant_is_written_in_utc() -> None:
    there = datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2)))
    assert written_instant(there) == "2026-01-31T12:00:00Z"
    with pytest.raises(ValueError, match=r"^2026-01-31T14:00:00 has no time zone$"):
        written_instant(there.replace(tzinfo=None))
