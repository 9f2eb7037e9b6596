"""The tree of RFC 9162, held against a second and naive way to compute it, and against roots worked out by hand."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain.seal import (
    Tree,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

LEAVES = [leaf_hash(f"entry {number}".encode()) for number in range(40)]
sizes = st.integers(1, len(LEAVES))


def naive(leaves: list[bytes]) -> bytes:
    """Return the root by the definition of RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = max(power for power in (1, 2, 4, 8, 16, 32) if power < len(leaves))
    return sha256(b"\x01" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def test_three_leaves_by_hand() -> None:
    a, b, c = (sha256(b"\x00" + text).digest() for text in (b"a", b"b", b"c"))
    assert [leaf_hash(text) for text in (b"a", b"b", b"c")] == [a, b, c]
    assert root_of([a, b, c]) == sha256(b"\x01" + sha256(b"\x01" + a + b).digest() + c).digest()


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert Tree().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_root_of_one_empty_entry_is_the_one_that_is_published() -> None:  # RFC 6962 test data of its authors
    assert root_of([leaf_hash(b"")]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_growing_tree_has_the_root_of_the_definition(size: int) -> None:
    assert root_of(LEAVES[:size]) == naive(LEAVES[:size])


@pytest.mark.parametrize("size", range(len(LEAVES)))
def test_a_tree_goes_on_from_its_frontier(size: int) -> None:
    first = Tree()
    for leaf in LEAVES[:size]:
        first.append(leaf)
    second = Tree(size, first.frontier)
    for leaf in LEAVES[size:]:
        second.append(leaf)
    assert second.root() == naive(LEAVES)


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="a tree of 3 entries has a frontier of 2 hashes"):
        Tree(3, LEAVES[:1])


@given(size=sizes, data=st.data())
def test_every_entry_is_proven_to_be_included(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves, root = LEAVES[:size], naive(LEAVES[:size])
    proof = inclusion_proof(leaves, index)
    assert is_included(leaves[index], index, size, proof, root)
    assert len(proof) <= (size - 1).bit_length()


@given(size=sizes, data=st.data())
def test_no_proof_fits_another_entry_place_or_root(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves, root = LEAVES[:size], naive(LEAVES[:size])
    proof = inclusion_proof(leaves, index)
    assert not is_included(leaf_hash(b"another"), index, size, proof, root)
    assert not is_included(leaves[index], index, size, proof, leaf_hash(b"root"))
    assert not is_included(leaves[index], size, size, proof, root)
    assert not is_included(leaves[index], index, size, (*proof, root), root)
    other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index) if size > 1 else st.just(-1))
    assert not is_included(leaves[index], other, size, proof, root)


@given(first=sizes, second=sizes)
def test_every_later_tree_is_proven_to_begin_with_every_earlier_one(first: int, second: int) -> None:
    first, second = sorted((first, second))
    proof = consistency_proof(LEAVES[:second], first)
    assert is_consistent(first, naive(LEAVES[:first]), second, naive(LEAVES[:second]), proof)


@given(first=sizes, second=sizes, changed=st.integers(0, len(LEAVES) - 1))
def test_a_history_that_was_rewritten_is_not_consistent(first: int, second: int, changed: int) -> None:
    first, second = sorted((first, second))
    changed %= first
    forged = [*LEAVES[:changed], leaf_hash(b"forged"), *LEAVES[changed + 1 : second]]
    proof = consistency_proof(forged, first)
    assert not is_consistent(first, naive(LEAVES[:first]), second, naive(forged), proof)


@given(first=sizes, second=sizes)
def test_a_proof_with_a_step_too_many_or_too_few_proves_nothing(first: int, second: int) -> None:
    first, second = sorted((first, second))
    old, new = naive(LEAVES[:first]), naive(LEAVES[:second])
    proof = consistency_proof(LEAVES[:second], first)
    assert not is_consistent(first, old, second, new, (*proof, node_hash(old, new)))
    if proof:
        assert not is_consistent(first, old, second, new, proof[:-1])


@pytest.mark.parametrize("size, index", [(0, 0), (3, 3), (3, -1)])
def test_a_proof_of_what_is_not_there_is_refused(size: int, index: int) -> None:
    with pytest.raises(ValueError, match="there is no leaf"):
        inclusion_proof(LEAVES[:size], index)


@pytest.mark.parametrize("size", [0, 4])
def test_a_tree_is_not_consistent_with_a_longer_one_before_it(size: int) -> None:
    with pytest.raises(ValueError, match="there is no tree"):
        consistency_proof(LEAVES[:3], size)
