"""Ids: the same content, the same id; another content, another id."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain.ids import digest, discrepancy_id, run_id

fields = st.lists(st.text(max_size=4), min_size=1, max_size=4)


@given(left=fields, right=fields)
def test_two_contents_never_share_a_digest(left: list[str], right: list[str]) -> None:
    assert (digest(*left) == digest(*right)) is (left == right)


def test_ids_do_not_change_between_versions() -> None:
    # Stored ids are met again for years: whoever changes these changes every open discrepancy's name.
    assert digest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    place = ("main", "kraken", "balances", "BTC", "spot", "balance_mismatch", "total", "")
    assert discrepancy_id(*place) == "dis_" + digest(*place)[:16]
    # By hand: the SHA-256 of eight bytes that say 4, and "main".
    assert digest("main") == sha256(b"\0\0\0\0\0\0\0\x04main").hexdigest()
    assert run_id("main") == "rec_" + digest("main")[:16]


def test_where_a_name_ends_is_part_of_the_content() -> None:
    assert discrepancy_id("a:b", "c") != discrepancy_id("a", "b:c")
    assert digest("ab", "") != digest("a", "b")
    assert digest(b"a") == digest("a")
