"""A proof that one entry is under a signed head, as a file that leaves the house, and whether it holds.

It needs no database: an entry, the hashes that lead from it to the root, and the head that was signed over it.
``verify_journal.py`` checks the same file without this program.
"""

from collections.abc import Collection

import msgspec

from gal_friday.adapters.journal.key import is_signed
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.journal import key_id, written
from gal_friday.domain.plain import NOT_READ
from gal_friday.domain.seal import is_included, leaf_hash
from gal_friday.ports.journal_reading import PROOF_FORMAT, Proof


class _File(msgspec.Struct, rename={"form": "format"}):
    form: str


def proof_in(content: bytes, *, source: str) -> Proof:
    """Return the proof that a file holds.

    Raises:
        MalformedFact: it holds none.
    """
    try:
        form = msgspec.json.decode(content, type=_File).form
        if form != PROOF_FORMAT:
            raise MalformedFact(f"{source}: {form[:40]!r} is not {PROOF_FORMAT}")
        return msgspec.json.decode(content, type=Proof)
    except NOT_READ as error:
        raise MalformedFact(f"{source}: no proof of an entry ({error}); a page of the journal gives one") from None


def flaw_of(proof: Proof, trusted: Collection[str] = ()) -> str:
    """Return what is wrong with a proof; empty where it leads from its entry to a head that its key signed.

    *trusted* are the ids of the only keys that may have signed; none for any.
    """
    head = proof.signed.head
    try:
        path = [bytes.fromhex(step) for step in proof.path]
        root, public = bytes.fromhex(head.root), bytes.fromhex(proof.public_key)
        seq = written(proof.entry.encode()).seq
    except (ValueError, MalformedFact) as error:
        return f"it cannot be read: {error}"
    leaf = leaf_hash(proof.entry.encode())
    if (leaf.hex(), seq, proof.index, head.size) != (proof.leaf, proof.seq, proof.seq - 1, proof.size):
        return "leaf, place or size are not those of its entry and its head"
    if not is_included(leaf, proof.index, proof.size, path, root):
        return "the path does not lead from the entry to the root of the head"
    if key_id(public) != head.key or not is_signed(public, head.signed_text(), proof.signed.signature):
        return "the head is not signed by the key that it names"
    if trusted and head.key not in trusted:
        return f"the head is signed by {head.key}, which is not a trusted key"
    return ""
