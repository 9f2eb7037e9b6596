"""What people type: kept as plain text, or refused with which, why and what would do."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gal_friday.domain.remark import MalformedRemark, name_of, note_of, until_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
YEAR = timedelta(days=366)


@pytest.mark.parametrize(
    "text, kept",
    [
        ("", ""),
        ("  plain ", "plain"),
        ("one\r\ntwo\tthree\u00a0four", "one\ntwo three four"),
        ("a\rb", "a b"),
        ("\n a\n\n b \n", "a\n\n b"),
        ("x" * 2000, "x" * 2000),
        (" " + "x" * 2000 + " ", "x" * 2000),
    ],
    ids=ascii,
)
def test_a_note_is_kept_in_plain_lines(text: str, kept: str) -> None:
    assert note_of(text) == kept


@pytest.mark.parametrize(
    "text, why",
    [
        ("x" * 2001, "the note has 2001 characters and may have 2000; say it shorter"),
        ("red\x1b", "the note has a character that cannot be seen (\\x1b, the 4. one); leave it out"),
        ("\u3164x", "the note has a character that cannot be seen (\\u3164, the 1. one); leave it out"),
        ("a\nb\u202e", "the note has a character that cannot be seen (\\u202e, the 4. one); leave it out"),
    ],
    ids=["long", "escape", "filler", "turned"],
)
def test_a_note_that_is_too_long_or_hides_something_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedRemark) as refused:
        note_of(text)
    assert str(refused.value) == why


@pytest.mark.parametrize("text, kept", [(" Zoë\tM ", "Zoë M"), ("x" * 80, "x" * 80), ("policy2", "policy2")])
def test_a_name_is_kept_in_one_line(text: str, kept: str) -> None:
    assert name_of(text) == name_of(text, "assignee") == kept


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "is empty; say who"),
        (" \t", "is empty; say who"),
        ("x" * 81, "is one line of at most 80 characters; write it shorter"),
        ("a\nb", "is one line of at most 80 characters; write it shorter"),
        ("Policy", "'Policy' is kept for what this program does by itself; say who it is"),
        ("gal-friday", "'gal-friday' is kept for what this program does by itself; say who it is"),
        ("a\0", "has a character that cannot be seen (\\x00, the 2. one); leave it out"),
    ],
    ids=ascii,
)
def test_a_name_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedRemark) as refused:
        name_of(text)
    assert str(refused.value) == f"the name {why}"
    with pytest.raises(MalformedRemark) as refused:
        name_of(text, "assignee")
    assert str(refused.value) == f"the assignee {why}"


def test_an_end_is_kept_in_utc() -> None:
    there = (NOW + YEAR).astimezone(timezone(timedelta(hours=2)))
    kept = until_of(there, NOW)
    assert (kept, kept.tzinfo) == (NOW + YEAR, UTC)
    assert until_of(NOW + TICK, NOW) == NOW + TICK


@pytest.mark.parametrize(
    "until, why",
    [
        (NOW, "the end 2026-01-31T12:00Z is past; it is 2026-01-31T12:00Z now, name a later one"),
        (
            datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1))) - TICK,
            "the end 2026-01-31T12:59+01:00 is past; it is 2026-01-31T12:00Z now, name a later one",
        ),
        (
            NOW + YEAR + TICK,
            "the end 2027-02-01T12:00Z is more than 366 days away; name an earlier one, and decide again then",
        ),
        (
            datetime(2026, 3, 1),  # noqa: DTZ001 - that is the point
            "the end 2026-03-01T00:00:00 has no time zone; write 2026-03-01T00:00:00Z for UTC",
        ),
    ],
)
def test_an_end_that_is_none_is_refused(until: datetime, why: str) -> None:
    with pytest.raises(MalformedRemark) as refused:
        until_of(until, NOW)
    assert str(refused.value) == why
