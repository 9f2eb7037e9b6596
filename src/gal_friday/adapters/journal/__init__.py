"""The journal in a database, its seal, its proofs, and what of it goes outside.

Facts are only ever added. Nothing here changes or removes one, and nothing decides what a fact means.
"""

from gal_friday.adapters.journal.anchor import Anchor, anchors_in, newest, record, sent
from gal_friday.adapters.journal.export import SCRIPT, export
from gal_friday.adapters.journal.key import SigningKey, kept_key, signing_key
from gal_friday.adapters.journal.lately import verify_lately
from gal_friday.adapters.journal.memory import MemoryJournal
from gal_friday.adapters.journal.proving import flaw_of, proof_in
from gal_friday.adapters.journal.reading import SqlJournalReading
from gal_friday.adapters.journal.show import Asked, entries
from gal_friday.adapters.journal.sql import SqlJournal
from gal_friday.adapters.journal.verify import Verified, verify

__all__ = [
    "SCRIPT",
    "Anchor",
    "Asked",
    "MemoryJournal",
    "SigningKey",
    "SqlJournal",
    "SqlJournalReading",
    "Verified",
    "anchors_in",
    "entries",
    "export",
    "flaw_of",
    "kept_key",
    "newest",
    "proof_in",
    "record",
    "sent",
    "signing_key",
    "verify",
    "verify_lately",
]
