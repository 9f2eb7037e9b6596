"""A token as text: found by scanners, told apart from a typing error, and its secret nowhere but in it."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain import token_text
from gal_friday.domain.token_text import NotAToken, read, written

ONE = written(b"\x01\x02\x03\x04\x05", bytes(range(32)))


@given(token_id=st.binary(min_size=5, max_size=5), secret=st.binary(min_size=32, max_size=32))
def test_a_token_is_read_back_and_always_of_one_form(token_id: bytes, secret: bytes) -> None:
    text = written(token_id, secret)
    assert read(text).id == token_id.hex()
    assert len(text) == token_text.TOKEN_CHARS
    assert re.fullmatch(token_text.PATTERN, text)


@given(first=st.binary(min_size=32, max_size=32), second=st.binary(min_size=32, max_size=32))
def test_two_secrets_have_two_digests(first: bytes, second: bytes) -> None:
    digests = {read(written(bytes(5), secret)).digest for secret in (first, second)}
    assert len(digests) == len({first, second})


@given(place=st.integers(min_value=0, max_value=len(ONE) - 1), char=st.characters())
def test_one_wrong_character_is_told_apart(place: int, char: str) -> None:
    wrong = ONE[:place] + char + ONE[place + 1 :]
    if wrong != ONE:
        with pytest.raises(NotAToken) as refused:
            read(wrong)
        assert wrong not in str(refused.value)


@pytest.mark.parametrize("wrong", ["", "gf_", ONE[:-1], ONE + "\n", " " + ONE, ONE.upper(), ONE * 2, "g" * 100_000])
def test_what_is_no_token_is_refused(wrong: str) -> None:
    with pytest.raises(NotAToken):
        read(wrong)


@given(st.binary())
def test_the_check_is_the_well_known_one(data: bytes) -> None:
    assert token_text._crc_32(data) == zlib.crc32(data)
