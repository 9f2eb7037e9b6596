"""Ids derived from content, so that a replay finds its own tracks.

The digest is taken over length-prefixed fields: text joined by a separator would let two different
contents share one id.
"""

from hashlib import sha256

_SHORT = 16
"""Hex digits of a short id: 64 bits, ample for the discrepancies of one account and still copyable."""


def digest(*fields: str | bytes) -> str:
    """Return the SHA-256 over the fields, each preceded by its length, as hex."""
    parts = [field.encode() if isinstance(field, str) else field for field in fields]
    return sha256(b"".join([len(part).to_bytes(8, "big") + part for part in parts])).hexdigest()


def discrepancy_id(*place: str) -> str:
    """Return the id under which the same discrepancy is met again in every run.

    *place* is where it stands: account and exchange, kind, name and part of the key, type, field, and the
    side where only one is concerned. Each on its own, because names may hold whatever would join them.
    """
    return "dis_" + digest(*place)[:_SHORT]


def run_id(*content: str) -> str:
    """Return the id of a run, from what it read and found."""
    return "rec_" + digest(*content)[:_SHORT]
