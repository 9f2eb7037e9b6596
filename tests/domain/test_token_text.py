"""A token as text: found by scanners, told apart from a typing error, and its secret nowhere but in it."""

import re
import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain import token_text
from gal_friday.domain.token_text import NotAToken, Presented, read, written

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


def test_a_token_never_changes_its_form() -> None:
    secret = "003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf"
    assert f"gf_0102030405_{secret}1izd2G" == ONE
    assert read(ONE) == Presented("0102030405", sha256(secret.encode()).hexdigest())
    assert (token_text.SECRET_BYTES, token_text.ID_BYTES, token_text.TOKEN_CHARS) == (32, 5, 63)
    assert token_text.PATTERN == "gf_[0-9a-f]{10}_[0-9A-Za-z]{49}"


@pytest.mark.parametrize("token_id, secret", [(bytes(4), bytes(32)), (bytes(6), bytes(32)), (bytes(5), bytes(31))])
def test_a_token_of_fewer_or_more_bytes_is_never_made(token_id: bytes, secret: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a token is made of 5 and 32 bytes$"):
        written(token_id, secret)


def test_another_form_and_a_wrong_character_are_told_apart() -> None:
    form = "this is no token: one is gf_, 10 digits, _ and 49 letters and digits; copy it whole"
    wrong = "the token was not copied right: its last characters do not fit the others; copy it again"
    for text, said in ((ONE[:-1], form), (f"{ONE[:-1]}H", wrong), (ONE.replace("_003", "_013"), wrong)):
        with pytest.raises(NotAToken) as refused:
            read(text)
        assert (str(refused.value), isinstance(refused.value, ValueError)) == (said, True)


def test_digests_are_equal_only_to_themselves() -> None:
    assert token_text.same_digest("ab", "ab")
    assert not token_text.same_digest("ab", "ac")
