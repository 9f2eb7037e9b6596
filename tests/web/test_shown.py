"""Amounts and times as pages show them, and files of others that pages load."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

import gal_friday.web
from gal_friday.domain import words
from gal_friday.domain.adjustment import PostOrder
from gal_friday.domain.assets import Instrument
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import RECORD_KINDS, Order, OrderSide
from gal_friday.flows.standing import Account
from gal_friday.web.amounts import amount, difference, parts_of, worth
from gal_friday.web.sheet import _text
from gal_friday.web.shown import Line, rank, summed_up
from gal_friday.web.times import ago, for_people

STATIC = Path(gal_friday.web.__file__).with_name("static")
VENDORED = {
    "htmx.min.js": ("4.0.1", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"),
    "htmx.LICENSE": ("4.0.1", "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38"),
}


def plain(marked: str) -> str:
    return re.sub(r"<[^>]*>", "", marked)


@pytest.mark.parametrize(
    "value, whole, rest",
    [
        ("1234567.10", "1\u2009234\u2009567", ".10"),
        ("-0.00000001", "−0", ".00000001"),
        ("0", "0", ""),
        ("999", "999", ""),
    ],
)
def test_every_digit_is_kept(value: str, whole: str, rest: str) -> None:
    parts = parts_of(Decimal(value))
    assert (parts.whole, parts.rest) == (whole, rest)
    assert f'value="{value}"' in amount(Decimal(value)) or value == "-0.00000001"


def test_a_difference_has_its_sign_and_nothing_has_a_dash() -> None:
    assert plain(difference(Decimal("1.5"))) == "+1.5"
    assert plain(difference(Decimal("-1.5"))) == "−1.5"
    assert plain(amount(None)) == "–"
    assert plain(amount("<b>")) == "&lt;b&gt;"


def test_a_value_without_a_price_says_so_and_a_tiny_one_is_not_zero() -> None:
    assert plain(worth(None, "USD")) == "no price"
    assert "0.01" in plain(worth(Decimal("0.0004"), "USD"))
    assert plain(worth(Decimal("1234.5"), "USD")) == "1\u2009234.50 USD"
    assert plain(worth(Decimal(2), "USD")) == "2.00 USD"


def test_durations_are_said_by_their_two_largest_units() -> None:
    assert for_people(timedelta(days=2, hours=3, minutes=9)) == "2\u202fd 3\u202fh"
    assert for_people(timedelta(seconds=59)) == "59\u202fs"
    assert for_people(timedelta(seconds=61)) == "1\u202fmin"
    assert for_people(timedelta(0)) == "0\u202fs"
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert plain(ago(now + timedelta(minutes=5), now)) == "in 5\u202fmin"
    assert plain(ago(None, now)) == "never"


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-2+3", "+1", "\tx", " =1+1", "\uff1d1+1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert _text(text) == f"'{text}"
    assert _text("BTC") == "BTC"
    assert _text(f"BTC;{text}") == f"BTC;'{text}"  # a cell of its own, where semicolons part them
    assert _text("T-1=2;x") == "T-1=2;x"


def test_files_of_others_are_those_that_were_looked_at() -> None:
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").iterdir()}
    assert found == {name: digest for name, (_, digest) in VENDORED.items()}


def test_the_headline_is_never_better_than_what_was_seen() -> None:
    def said(*marks: str, found: int = 0) -> str:
        lines = [
            Line(account=f"a{n}", mark=mark, words="", open=found, complete=None, due=None)
            for n, mark in enumerate(marks)
        ]
        return summed_up([], lines)["mood"]

    assert said() == "unknown"
    assert said("reconciled", "reconciled") == "reconciled"
    assert said("reconciled", "incomplete") == "incomplete"
    assert said("reconciled", "pending") == "incomplete"
    assert said("reconciled", "unknown") == "incomplete"
    assert said("reconciled", found=1) == "discrepancies"
    assert said("reconciled", "failed", found=1) == "failed"
    some = [
        Line(account=mark, mark=mark, words="", open=0, complete=None, due=None) for mark in ("reconciled", "failed")
    ]
    assert [one.account for one in sorted(some, key=rank)] == ["failed", "reconciled"]


def test_books_that_are_true_say_what_was_not_compared() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    one = Account(
        account="main",
        exchange="kraken",
        mode=Mode.OBSERVE,
        book="file",
        paused=False,
        paused_by="",
        paused_because="",
        last_run=at,
        status="success",
        verdict="reconciled",
        last_complete=at,
        coverage=dict.fromkeys(RECORD_KINDS, True) | {"holds": False},
        next_run=None,
        consecutive_failures=0,
        open_discrepancies=0,
    )
    line = Line(account="main", mark="reconciled", words="", open=0, complete=at, due=None)
    told = summed_up([one], [line])
    assert (told["mood"], told["lead"].endswith("both sides agree. Not compared: holds.")) == ("reconciled", True)


@pytest.mark.parametrize(
    "status, adds, said",
    [
        ("canceled", False, "closes order O1 in the book, as canceled: sell, 1 of 2.5 XRP/USD filled"),
        ("open", False, "brings order O1 up to date in the book, as open: sell, 1 of 2.5 XRP/USD filled"),
        ("open", True, "adds order O1 to the book as open: sell, 1 of 2.5 XRP/USD filled"),
    ],
)
def test_what_is_posted_of_an_order_is_said_as_what_becomes_of_the_book(status: str, adds: bool, said: str) -> None:
    order = Order("O1", Instrument("XRP/USD"), OrderSide.SELL, Decimal("2.50"), Decimal(1), status)
    assert words.posted(PostOrder(order), adds=adds) == said
