"""The seal of the journal: a Merkle tree over its entries, and proofs that anybody can check.

One root stands for every entry up to some size. Two proofs follow from the tree: that an entry is under a root,
and that a later root only added entries to an earlier one. Nothing here knows what an entry says, and nothing
signs: this is arithmetic on hashes.

Source: RFC 9162 (Certificate Transparency 2.0), section 2.1, with SHA-256.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"  # Without them an inner node could be passed off as an entry.


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry from the bytes as they are stored."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above these two."""
    return sha256(_NODE + left + right).digest()


class Tree:
    """A tree that only grows. It keeps its frontier alone: one hash for every bit that is set in its size."""

    def __init__(self, size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        """Begin empty, or where *frontier* left off, its largest subtree first."""
        self.size = size
        self._peaks = list(frontier)
        if len(self._peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in self._peaks):
            raise ValueError(f"a tree of {size} entries has a frontier of {size.bit_count()} hashes")

    @property
    def frontier(self) -> tuple[bytes, ...]:
        """The roots of the full subtrees, the largest first: all that is needed to go on."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Take one more leaf, by its hash."""
        node, rest = leaf, self.size
        while rest & 1:
            node = node_hash(self._peaks.pop(), node)
            rest >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the hash that stands for every entry; that of nothing for an empty tree."""
        if not self._peaks:
            return sha256().digest()
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return what leads from the leaf at *index*, counted from 0, to the root over *leaves*, lowest first."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*inclusion_proof(leaves[:split], index), root_of(leaves[split:]))
    return (*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split]))


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether the proof leads from this leaf to this root of a tree of *size* (RFC 9162, 2.1.3.2)."""
    climbed = climb(leaf, index, size, proof)
    return climbed is not None and (climbed[-1][1] if climbed else leaf) == root


def climb(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> tuple[tuple[bool, bytes], ...] | None:
    """Return every step of the way up: whether its hash stands to the left, and the node above both.

    None where the proof is not one of a leaf at *index* in a tree of *size*.
    """
    if not 0 <= index < size:
        return None
    first, second, node = index, size - 1, leaf
    steps: list[tuple[bool, bytes]] = []
    for step in proof:
        if second == 0:
            return None
        left = bool(first & 1) or first == second
        node = node_hash(step, node) if left else node_hash(node, step)
        while left and not first & 1 and first:
            first, second = first >> 1, second >> 1
        first, second = first >> 1, second >> 1
        steps.append((left, node))
    return tuple(steps) if second == 0 else None


def consistency_proof(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Return what shows that the tree over *leaves* only added to the one over the first *size* of them."""
    if not 0 < size <= len(leaves):
        raise ValueError(f"there is no tree of {size} within one of {len(leaves)}")
    return _sub_proof(leaves, size, whole=True)


def _sub_proof(leaves: Sequence[bytes], size: int, *, whole: bool) -> tuple[bytes, ...]:
    if size == len(leaves):
        return () if whole else (root_of(leaves),)
    split = _split(len(leaves))
    if size <= split:
        return (*_sub_proof(leaves[:split], size, whole=whole), root_of(leaves[split:]))
    return (*_sub_proof(leaves[split:], size - split, whole=False), root_of(leaves[:split]))


def is_consistent(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof shows that *second* entries begin with the *first* ones (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    low, high = first - 1, second - 1
    while low & 1:
        low, high = low >> 1, high >> 1
    old = new = path[0]
    for step in path[1:]:
        if high == 0:
            return False
        if low & 1 or low == high:
            old, new = node_hash(step, old), node_hash(step, new)
            while not low & 1 and low:
                low, high = low >> 1, high >> 1
        else:
            new = node_hash(new, step)
        low, high = low >> 1, high >> 1
    return high == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """Return the largest power of two below *size*."""
    return 1 << (size - 1).bit_length() - 1
