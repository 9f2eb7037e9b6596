"""What is looked at when a journal is verified, row by row, in order; the first thing that is wrong ends it.

Entries are held against their hashes, their columns and their places; heads against the tree that the entries
lead to, their signatures and their numbers; heads that were anchored outside against the tree of their size.
Nothing here reads a database.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from gal_friday.adapters.journal.rows import EntryRow, HeadRow
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import VERSION, Head, SignedHead, Written, key_id, written
from gal_friday.domain.seal import Tree, leaf_hash

IsSigned = Callable[[bytes, bytes, str], bool]

_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_COLUMNS = ("kind", "at", "account", "subject", "actor")


class Flaw(Exception):
    """The first place at which the journal is not what was written."""

    def __init__(self, place: str, what: str, expected: object = "", found: object = "") -> None:
        super().__init__(f"{place}: {what}")
        self.place, self.what, self.expected, self.found = place, what, _shown(expected), _shown(found)


class Anchored(Struct, frozen=True):
    """A head that was kept outside, and where it stands there."""

    place: str
    signed: SignedHead
    public_key: str


class Inspection:
    """Takes rows in order and raises ``Flaw`` at the first that is wrong."""

    def __init__(
        self, is_signed: IsSigned, *, trusted: Iterable[str] = (), anchored: Iterable[Anchored] = (), own: str = ""
    ) -> None:
        """*trusted* are the ids of the only keys that may have signed; none for any. *own* is this machine's key."""
        self._is_signed, self._trusted, self._own = is_signed, frozenset(trusted), own
        self._anchored: dict[int, list[Anchored]] = {}
        for one in anchored:
            self._check_anchor(one)
            self._anchored.setdefault(one.signed.head.size, []).append(one)
        self.tree = Tree()
        self.journal = ""
        self.keys: dict[str, bytes] = {}
        self.heads = 0
        self.anchors = 0
        self._sealed = 0

    def resume(self, tree: Tree, *, journal: str, heads: int, keys: Mapping[str, bytes]) -> None:
        """Go on where an earlier inspection ended, with the keys that it knew."""
        for name, public in keys.items():
            if key_id(public) != name:
                raise Flaw("keys", "the key is not the one that its id names", name, key_id(public))
        self.tree, self.journal, self.heads, self._sealed = tree, journal, heads, tree.size
        self.keys = dict(keys)

    def entry(self, row: EntryRow) -> Written:
        """Return what the next entry says."""
        seq = self.tree.size + 1
        place = f"entry {seq}"
        if row.seq != seq:
            raise Flaw(place, "the sequence has a gap: entries are missing", seq, row.seq)
        leaf = leaf_hash(row.entry)
        if row.leaf != leaf.hex().encode():
            raise Flaw(place, "the entry is not the one that its hash was taken of", row.leaf, leaf.hex())
        try:
            said = written(row.entry)
        except MalformedFact as error:
            raise Flaw(place, str(error)) from None
        self._check_columns(place, row, said)
        self._learn(place, seq, said)
        self.tree.append(leaf)
        for one in self._anchored.pop(seq, ()):
            self._meet(one)
        return said

    def _check_columns(self, place: str, row: EntryRow, said: Written) -> None:
        if said.seq != row.seq:
            raise Flaw(place, "the entry was written for another place", said.seq, row.seq)
        if said.v != VERSION:
            raise Flaw(place, "the entry is of a version that this program does not know", VERSION, said.v)
        told = (said.kind, said.at, said.account, said.subject, said.actor.name)
        for name, expected, found in zip(_COLUMNS, told, row[1:6], strict=True):
            if found != expected.encode():
                raise Flaw(place, f"the column {name} is not what the entry says", expected, found)

    def _learn(self, place: str, seq: int, said: Written) -> None:
        """Take the journal's id from its first entry, and every key from the one that adds it."""
        if seq == 1:
            if said.kind != FactKind.JOURNAL_BEGUN:
                raise Flaw(place, "a journal begins with its own entry", FactKind.JOURNAL_BEGUN.value, said.kind)
            self.journal = said.subject
        if said.kind == FactKind.JOURNAL_KEY_ADDED:
            public = _bytes_of(said.body.get("public_key"))
            if key_id(public) != said.subject:
                raise Flaw(place, "the key is not the one that its id names", said.subject, key_id(public))
            self.keys[said.subject] = public

    def head(self, row: HeadRow) -> None:
        """Take the next head, which stands over exactly the entries so far."""
        number = self.heads + 1
        place = f"head {number}"
        head = self._read_head(place, row)
        if row.number != number:
            raise Flaw(place, "the sequence of heads has a gap: heads are missing", number, row.number)
        if head.journal != self.journal:
            raise Flaw(place, "the head is of another journal", self.journal, head.journal)
        root, frontier = self.tree.root().hex(), b"".join(self.tree.frontier).hex()
        if head.root != root:
            which = f"an entry from {self._sealed + 1} to {self.tree.size}"
            what = f"{which} is not the one that was sealed, or the head was changed"
            raise Flaw(place, what, head.root, root)
        if row.frontier != frontier.encode():
            raise Flaw(place, "the frontier is not that of the entries", frontier, row.frontier)
        self._check_signature(place, head, row.signature.decode())
        self.heads, self._sealed = number, head.size

    def is_due(self, row: HeadRow) -> bool:
        """Say whether this head, the next one, stands over exactly the entries so far."""
        if row.size <= self._sealed:
            what = "the head stands over no more entries than the one before it"
            raise Flaw(f"head {self.heads + 1}", what, f"more than {self._sealed}", row.size)
        return row.size == self.tree.size

    def _read_head(self, place: str, row: HeadRow) -> Head:
        try:
            names = [field.decode() for field in (row.journal, row.root, row.at, row.key_id)]
            row.signature.decode()
        except UnicodeDecodeError as error:
            raise Flaw(place, "a column is no text", "", error.object) from None
        journal, root, at, key = names
        if not _AT.fullmatch(at):
            raise Flaw(place, "the time is not written as every head writes it", "2026-01-31T12:00:00.000000Z", at)
        return Head(journal=journal, number=row.number, size=row.size, root=root, at=at, key=key)

    def _check_signature(self, place: str, head: Head, signature: str) -> None:
        if head.key not in self.keys:
            raise Flaw(place, "signed with a key that no entry before it adds", ", ".join(self.keys), head.key)
        if self._trusted and head.key not in self._trusted:
            raise Flaw(place, "signed with a key that is not trusted", ", ".join(sorted(self._trusted)), head.key)
        canonical_form = signature == signature.lower() and len(signature) == 128
        if not canonical_form or not self._is_signed(self.keys[head.key], head.signed_text(), signature):
            raise Flaw(place, "the signature is not that of its key over this head", f"one by {head.key}", signature)

    def end(self, rest: HeadRow | None) -> None:
        """Hold the end against the last head, *rest* being one that stands over entries that are not there."""
        size = self.tree.size
        if rest is not None:
            place = f"entry {size + 1}"
            raise Flaw(place, f"the journal was cut: head {rest.number} stands over more entries", rest.size, size)
        if size > self._sealed:
            raise Flaw(f"entry {self._sealed + 1}", "no head stands over it: it was not written by this program")
        if self._own and self.keys and self._own not in self.keys:
            what = "no head is signed with this machine's key: the journal was sealed anew, or comes from elsewhere"
            raise Flaw("keys", what, self._own, ", ".join(self.keys))
        for lost in sorted(self._anchored):
            one = self._anchored[lost][0]
            what = "the journal was cut: this head, kept outside, stands over more entries"
            raise Flaw(f"entry {size + 1}", f"{what} ({one.place})", lost, size)

    def _check_anchor(self, one: Anchored) -> None:
        head, public = one.signed.head, _bytes_of(one.public_key)
        if key_id(public) != head.key or not self._is_signed(public, head.signed_text(), one.signed.signature):
            raise Flaw(one.place, "this line is no head that its key signed", head.key, one.signed.signature)

    def _meet(self, one: Anchored) -> None:
        head, root = one.signed.head, self.tree.root().hex()
        if head.journal != self.journal:
            raise Flaw(one.place, "the head that was kept outside is of another journal", head.journal, self.journal)
        if head.root != root:
            what = f"the first {head.size} entries are not those that this head, kept outside, stands over"
            raise Flaw(one.place, what, head.root, root)
        self.anchors += 1


def _bytes_of(text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _shown(value: object) -> str:
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
