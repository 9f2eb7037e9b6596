"""One append: facts become entries at the next places, and a signed head stands over all of them.

The same for every place in which a journal is kept. Nothing here reads or writes.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from gal_friday.adapters.journal.key import SigningKey
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.facts import Fact
from gal_friday.domain.journal import Entry, Head, SignedHead, begun, entry_of, journal_id, key_added
from gal_friday.domain.seal import HASH_BYTES, Tree
from gal_friday.ports.errors import StoreFailed


class Last(Struct, frozen=True):
    """The newest head, and the frontier from which its tree goes on."""

    journal: str
    number: int
    size: int
    frontier: str
    """The hashes as hex, one after the other."""


class Sealed(Struct, frozen=True):
    """What one append adds."""

    entries: Sequence[Entry]
    signed: SignedHead
    frontier: str


def sealed(last: Last | None, facts: Sequence[Fact], key: SigningKey, now: datetime, *, known_key: bool) -> Sealed:
    """Return what these facts add after *last*; an introduction goes before them where journal or key are new.

    Raises:
        StoreFailed: the newest head cannot be gone on from.
        MalformedFact: a fact holds what cannot be written exactly.
    """
    tree = _tree(last)
    journal = last.journal if last else journal_id(key.public, now)
    first = [] if last else [begun(journal, now)]
    introduced = [] if known_key else [key_added(key.public, now)]
    every = [*first, *introduced, *facts]
    entries = [entry_of(seq, fact) for seq, fact in enumerate(every, tree.size + 1)]
    for entry in entries:
        tree.append(entry.leaf)
    head = Head(
        journal=journal,
        number=last.number + 1 if last else 1,
        size=tree.size,
        root=tree.root().hex(),
        at=written_exactly(now),
        key=key.id,
    )
    frontier = b"".join(tree.frontier).hex()
    return Sealed(entries, SignedHead(head=head, signature=key.sign(head.signed_text())), frontier)


def _tree(last: Last | None) -> Tree:
    if last is None:
        return Tree()
    try:
        hashes = bytes.fromhex(last.frontier)
        return Tree(last.size, [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])
    except ValueError as error:
        raise StoreFailed(
            f"the journal's head {last.number} is damaged, and nothing can follow it; run: gal-friday journal verify"
        ) from error
