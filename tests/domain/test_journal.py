"""What stands in the journal, byte for byte. The golden vectors are frozen: another text is another version."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain.canonical import WHOLE_MAX, canonical, written_exactly
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.facts import Actor, Fact, FactKind, KnownBy
from gal_friday.domain.journal import (
    FORMULA,
    Entry,
    Head,
    Written,
    begun,
    entry_of,
    journal_id,
    key_added,
    key_id,
    kind_of,
    written,
)

AT = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)
FACT = Fact(
    kind=FactKind.ADJUSTMENT_APPLIED,
    at=AT,
    account="main",
    subject="adj_1",
    actor=Actor("Zoë", KnownBy.SELF_DECLARED),
    body={"b": [1, True, None], "amount": Decimal("1E-8"), "a": {"€": 'x\n"\\\x1f\x7f', "since": AT}},
)
GOLDEN = (
    '{"account":"main","actor":{"known_by":"self-declared","name":"Zoë"},"at":"2026-01-31T12:00:00.000005Z",'
    '"body":{"a":{"since":"2026-01-31T12:00:00.000005Z","€":"x\\n\\"\\\\\\u001f\x7f"},"amount":"0.00000001",'
    '"b":[1,true,null]},"kind":"adjustment_applied","seq":7,"subject":"adj_1","v":1}'
)
GOLDEN_LEAF = "e4cb975981feac4ef21b58bc992fe023b7784c19777c6f492cce31016c5656c6"

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    texts | st.booleans() | st.none() | st.integers(-WHOLE_MAX, WHOLE_MAX),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def test_the_first_version_of_an_entry_is_frozen() -> None:
    entry = entry_of(7, FACT)
    assert entry.text.decode() == GOLDEN
    assert entry.leaf.hex() == GOLDEN_LEAF


def test_the_first_version_of_a_head_is_frozen() -> None:
    head = Head(journal="jnl_1", number=2, size=3, root="ab", at="2026-01-31T12:00:00.000000Z", key="key_1")
    assert head.signed_text() == (
        b"gal-friday/journal-head/1\njournal jnl_1\nnumber 2\nsize 3\nroot ab\n"
        b"at 2026-01-31T12:00:00.000000Z\nkey key_1\n"
    )


def test_a_key_is_named_by_what_it_is() -> None:
    assert key_id(bytes(32)) == "key_66687aadf862bd77"  # SHA-256 of 32 zero bytes begins so


@given(body=st.dictionaries(texts, values))
def test_what_is_written_is_what_the_standard_library_would_write(body: dict[str, Any]) -> None:
    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
        return [ordered(item) for item in value] if isinstance(value, list) else value

    assert canonical(body) == json.dumps(ordered(body), ensure_ascii=False, separators=(",", ":")).encode()
    assert json.loads(canonical(body)) == body


def test_keys_stand_in_the_order_of_their_code_units() -> None:  # RFC 8785, section 3.2.3
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 1)))) == [
        *("\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"),
    ]


@pytest.mark.parametrize(
    "value, why",
    [
        (0.5, "float has no place in a fact"),
        ({"deep": [0.5]}, "float has no place in a fact"),
        (WHOLE_MAX + 1, "not every reader keeps"),
        (-WHOLE_MAX - 1, "not every reader keeps"),
        ("\ud800", "half a character"),
        ({"\ud800": 1}, "half a character"),
        ({1: "x"}, "a key that is no text"),
        (b"x", "bytes has no place in a fact"),
        (datetime(2026, 1, 31), "no time zone"),  # noqa: DTZ001 - that is the point
    ],
)
def test_what_cannot_be_written_exactly_is_refused(value: Any, why: str) -> None:
    with pytest.raises(MalformedFact, match=why):
        canonical({"body": value})


def test_nesting_without_end_is_refused() -> None:
    body: dict[str, Any] = {}
    body["again"] = body
    with pytest.raises(MalformedFact, match="nested deeper than 32"):
        canonical(body)


@pytest.mark.parametrize("field", ["kind", "account", "subject"])
def test_a_name_that_no_database_keeps_is_refused(field: str) -> None:
    names: dict[str, Any] = {"kind": "run_started", "account": "main", "subject": "rec_1", field: "a\0b"}
    with pytest.raises(MalformedFact, match="the character 0"):
        entry_of(1, Fact(at=AT, **names))


def test_a_fact_without_a_kind_is_refused() -> None:
    with pytest.raises(MalformedFact, match="without a kind"):
        entry_of(1, Fact(kind="", at=AT, account="main", subject=""))


def test_an_entry_is_read_back_as_the_fact_that_it_was() -> None:
    read = written(entry_of(7, FACT).text)
    inner = {"since": written_exactly(AT), "€": 'x\n"\\\x1f\x7f'}
    assert read.seq == 7
    assert read.fact() == Fact(
        kind=FactKind.ADJUSTMENT_APPLIED,
        at=AT,
        account="main",
        subject="adj_1",
        actor=FACT.actor,
        body={"a": inner, "amount": "0.00000001", "b": [1, True, None]},
    )


def test_a_kind_of_a_later_version_survives_as_itself() -> None:  # I15
    read = written(entry_of(1, Fact(kind="moon_rose", at=AT, account="main", subject="")).text)
    assert (read.fact().kind, kind_of("run_started")) == ("moon_rose", FactKind.RUN_STARTED)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff", GOLDEN.replace(":7", ':"7"').encode()])
def test_what_is_no_entry_is_not_read(text: bytes) -> None:
    with pytest.raises(MalformedFact, match="no entry of a journal"):
        written(text)


def test_an_instant_is_written_in_one_way_wherever_it_was_read() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert written_exactly(there) == written_exactly(AT) == "2026-01-31T12:00:00.000005Z"


def test_a_journal_begins_with_its_name_and_names_its_keys() -> None:
    public = bytes(range(32))
    name = journal_id(public, AT)
    assert begun(name, AT) == Fact(
        kind=FactKind.JOURNAL_BEGUN,
        at=AT,
        account="",
        subject=name,
        body={"format": "gal-friday/journal/1", "journal": name},
    )
    assert key_added(public, AT) == Fact(
        kind=FactKind.JOURNAL_KEY_ADDED,
        at=AT,
        account="",
        subject="key_630dcd2966c43366",
        body={"algorithm": "Ed25519", "public_key": public.hex()},
    )
    assert name == "jnl_3ebc71a777817a79"


def test_the_formula_in_words_is_part_of_the_format() -> None:
    assert (
        sha256("\n".join(FORMULA).encode()).hexdigest()
        == "4f17f0c3add2ca0a5e3720d02ce8375dbdf3c3a2fdcac83121efeeb53f2bfd4e"
    )


NUL = "a name with the character 0, which no database keeps"


@pytest.mark.parametrize(
    "fact, why",
    [
        (Fact(kind="", at=AT, account="main", subject=""), "a fact without a kind; name what happened"),
        (Fact(kind="run\0", at=AT, account="", subject=""), f"run\0: {NUL}"),
        (Fact(kind="x", at=AT, account="a\0", subject=""), f"x: {NUL}"),
        (Fact(kind="x", at=AT, account="", subject="\0a"), f"x: {NUL}"),
        (Fact(kind="x", at=AT, account="", subject="", actor=Actor("a\0", "session")), f"x: {NUL}"),
        (Fact(kind="x", at=AT, account="", subject="", actor=Actor("a", "s\0")), f"x: {NUL}"),
    ],
)
def test_a_fact_that_cannot_be_kept_is_refused_with_why(fact: Fact, why: str) -> None:
    with pytest.raises(MalformedFact) as refused:
        entry_of(1, fact)
    assert str(refused.value) == why


def test_an_entry_is_the_fact_at_its_place() -> None:
    entry = entry_of(7, FACT)
    assert entry == Entry(7, FACT, GOLDEN.encode())
    assert written(entry.text) == Written(
        account="main",
        actor=FACT.actor,
        at="2026-01-31T12:00:00.000005Z",
        body=json.loads(GOLDEN)["body"],
        kind="adjustment_applied",
        seq=7,
        subject="adj_1",
        v=1,
    )
    assert (kind_of("run_started"), kind_of("moon_rose")) == (FactKind.RUN_STARTED, "moon_rose")


def test_a_head_that_holds_half_a_character_still_has_one_text() -> None:
    head = Head(journal="\udc80", number=2, size=3, root="ab", at="now", key="key_1")
    assert head.signed_text() == (
        b"gal-friday/journal-head/1\njournal \\udc80\nnumber 2\nsize 3\nroot ab\nat now\nkey key_1\n"
    )
