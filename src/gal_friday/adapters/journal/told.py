"""A row beside the fact that tells of it: both as digests, and the first that differ are a ``Flaw``.

Whatever stands in a row is taken as it is: who verifies must not stumble over what is wrong. Nothing here reads a
database.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from gal_friday.adapters.journal.inspection import Flaw
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.plain import NOT_READ

Body = TypeVar("Body")
Facts = dict[str, tuple[int, bytes]]
"""The place of the latest fact about each, and the digest of what it tells."""


def met(facts: Facts, rows: Iterable[tuple[str, bytes]], what: str) -> int:
    """Take the fact of each row away, and return how many there were.

    Raises:
        Flaw: a row that no fact tells of, or that says something else.
    """
    count = 0
    for name, found in rows:
        seq, sealed = facts.pop(name, (0, b""))
        if not seq:
            raise Flaw(name, f"no entry of the journal is about {what}", "a fact", "none")
        if found != sealed:
            raise Flaw(name, f"{what} is not what entry {seq} says of it", sealed.hex(), found.hex())
        count += 1
    return count


def nothing_left(facts: Facts, what: str) -> None:
    """Raise ``Flaw`` at the first fact whose row was not met."""
    for name, (seq, _) in facts.items():
        raise Flaw(f"entry {seq}", f"{what} that it is about is gone", name, "nothing")


def read_as(kind: type[Body], body: bytes, place: str, what: str) -> Body:
    """Return what a row keeps as JSON.

    Raises:
        Flaw: it was not written by this program.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (*NOT_READ, GalFridayError, ValueError) as error:
        raise Flaw(place, f"{what} cannot be read: {error}", "as it was written", body) from None


def instant(at: Any) -> str:
    """Return the instant as facts write it; what SQLite keeps is the same in its own words."""
    return text(at).replace("+00:00", "Z") if isinstance(at, bytes) else written_exactly(at)


def text(value: Any) -> str:
    """Return a column as text, whatever it holds."""
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def digest(*fields: Any) -> bytes:
    """Return one hash over fields in their order."""
    seal = sha256()
    for field in fields:
        data = str(field).encode(errors="backslashreplace")
        seal.update(len(data).to_bytes(8, "big") + data)
    return seal.digest()
