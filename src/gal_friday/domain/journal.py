"""The journal: facts in one sequence without gaps, and signed heads that stand for all of them.

An entry is the canonical text of a fact with its place. Its leaf is the hash of that text as it is stored; a head
states how many entries there are and the root over their leaves, and is signed. Nothing here writes, reads or
signs: it says what is written, and what a true journal looks like. The formula is in ``FORMULA``; a change of
it is another format with another number.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from gal_friday.domain.canonical import canonical, written_exactly
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.facts import Actor, Fact, FactKind
from gal_friday.domain.ids import digest
from gal_friday.domain.plain import NOT_READ
from gal_friday.domain.seal import leaf_hash

VERSION = 1
HEAD_FORMAT = "gal-friday/journal-head/1"
FORMULA = (
    "entry: JSON as RFC 8785 writes it, UTF-8: account, actor, at, body, kind, seq, subject, v; seq has no gaps",
    "leaf: SHA-256 over the byte 00 and the entry's bytes as they stand",
    "node: SHA-256 over the byte 01, the left hash and the right hash",
    "root: the Merkle tree hash of RFC 9162 over the first `size` leaves",
    "head: the lines `gal-friday/journal-head/1`, `journal …`, `number …`, `size …`, `root …`, `at …`, `key …`",
    "each line of a head ends with a line feed; number counts from 1 without gaps",
    "signature: Ed25519 (RFC 8032) over the head's bytes, by the key whose entry journal_key_added stands before it",
    "key: `key_` and the first 16 hex digits of SHA-256 over the 32 bytes of the public key",
)
"""How everything is computed, in words: it stands in every export."""


class Entry(Struct, frozen=True):
    """A fact at its place."""

    seq: int
    """Counted from 1, without gaps, over the whole database."""
    fact: Fact
    text: bytes
    """The canonical text: what is stored, and what is hashed."""

    @property
    def leaf(self) -> bytes:
        """The hash of the text."""
        return leaf_hash(self.text)


class Written(Struct, frozen=True):
    """The fields of an entry, as they stand in its text."""

    account: str
    actor: Actor
    at: str
    body: dict[str, Any]
    kind: str
    seq: int
    subject: str
    v: int

    def fact(self) -> Fact:
        """Return the fact; equal to the one that was written, but for amounts and instants, which are text now."""
        return Fact(
            kind=kind_of(self.kind),
            at=datetime.strptime(self.at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
            account=self.account,
            subject=self.subject,
            actor=self.actor,
            body=self.body,
        )


_WRITTEN = msgspec.json.Decoder(Written)


def written(text: bytes) -> Written:
    """Return what the text of an entry says.

    Raises:
        MalformedFact: it is no entry.
    """
    try:
        return _WRITTEN.decode(text)
    except NOT_READ as error:
        raise MalformedFact(f"no entry of a journal: {error}") from None


def kind_of(text: str) -> str:
    """Return the kind of this name; a name that nobody knows stays as it is (I15)."""
    try:
        return FactKind(text)
    except ValueError:
        return text


def entry_of(seq: int, fact: Fact) -> Entry:
    """Return the fact as the entry at this place.

    Raises:
        MalformedFact: it has no kind, or holds what cannot be written exactly.
    """
    if not fact.kind:
        raise MalformedFact("a fact without a kind; name what happened")
    names = (fact.kind, fact.account, fact.subject, fact.actor.name, fact.actor.known_by)
    if any("\0" in name for name in names):
        raise MalformedFact(f"{fact.kind}: a name with the character 0, which no database keeps")
    fields = {
        "account": fact.account,
        "actor": {"known_by": fact.actor.known_by, "name": fact.actor.name},
        "at": written_exactly(fact.at),
        "body": fact.body,
        "kind": fact.kind,
        "seq": seq,
        "subject": fact.subject,
        "v": VERSION,
    }
    return Entry(seq, fact, canonical(fields))


class Head(Struct, frozen=True, kw_only=True):
    """What the journal was at one instant."""

    journal: str
    number: int
    """Heads are counted from 1, without gaps, so that none can be taken out of the middle."""
    size: int
    """How many entries there were."""
    root: str
    """Of the tree over their leaves, as hex."""
    at: str
    """When it was signed, UTC to the microsecond."""
    key: str
    """The id of the key that signed it."""

    def signed_text(self) -> bytes:
        """Return the bytes that the signature is over. No field can hold a line end, so no two heads share them."""
        lines = [HEAD_FORMAT, *(f"{name} {getattr(self, name)}" for name in _HEAD_LINES)]
        return "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")


_HEAD_LINES = ("journal", "number", "size", "root", "at", "key")


class SignedHead(Struct, frozen=True, kw_only=True):
    """A head with its signature."""

    head: Head
    signature: str
    """Ed25519 over ``signed_text``, as hex."""


def key_id(public: bytes) -> str:
    """Return the id of a public key."""
    return "key_" + sha256(public).hexdigest()[:16]


def journal_id(public: bytes, at: datetime) -> str:
    """Return the id of the journal that was begun at this instant with this key."""
    return "jnl_" + digest(public, written_exactly(at))[:16]


def begun(journal: str, at: datetime) -> Fact:
    """Return the fact that every journal begins with."""
    body = {"format": f"gal-friday/journal/{VERSION}", "journal": journal}
    return Fact(kind=FactKind.JOURNAL_BEGUN, at=at, account="", subject=journal, body=body)


def key_added(public: bytes, at: datetime) -> Fact:
    """Return the fact that makes a key one of this journal's."""
    body = {"algorithm": "Ed25519", "public_key": public.hex()}
    return Fact(kind=FactKind.JOURNAL_KEY_ADDED, at=at, account="", subject=key_id(public), body=body)
