"""The tables of books, runs, discrepancies, reviews and the journal.

Rows of the book and of the record of runs are never changed and never removed (I10); a discrepancy changes, and
so does an adjustment, and every change of either is a row that stays. Only counts of pending runs come and go, and the
contents of recordings are removed when their time is over. The triggers that see to it are part of the migrations,
because no table definition can say them.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text
from sqlalchemy.sql.schema import SchemaItem

from gal_friday.adapters.sql.columns import ExactDecimal, Flag, Instant, Seconds, Whole
from gal_friday.adapters.sql.metadata import declared

APPEND_ONLY = (
    "book_fills",
    "book_movements",
    "book_orders",
    "book_reversals",
    "book_plugs",
    "reconciliation_events",
    "position_adjustments",
    "adjustment_changes",
    "handovers",
    "discrepancy_changes",
    "review_changes",
    "journal_entries",
    "journal_heads",
    "recordings",
)


def _book_table(name: str, *items: SchemaItem) -> Table:
    return declared(
        name,
        Column("entry_id", Text, primary_key=True),
        Column("account", Text, ForeignKey("books.account"), nullable=False),
        Column("seq", Whole, nullable=False),
        Column("line", Whole, nullable=False),
        Column("added_at", Instant, nullable=False),
        # The adjustment that posted it; NULL is the trading system's own.
        Column("adjustment_id", Text),
        *items,
        # The record itself, and of its source what this program does not know; read back from here alone.
        # JSON as it was written: a JSON type would rewrite numbers. The columns above say the same in SQL.
        Column("record", Text, nullable=False),
        Column("extra", Text),
        Index(None, "account", "seq", "line"),
        Index(None, "adjustment_id"),
    )


BOOKS = declared(
    "books",
    Column("account", Text, primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("version", Whole, nullable=False),
    # From when on the book knows every fill and movement; NULL means from its beginning.
    Column("fills_since", Instant),
    Column("movements_since", Instant),
)

BOOK_FILLS = _book_table(
    "book_fills",
    Column("fill_id", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("price", ExactDecimal, nullable=False),
    Column("at", Instant, nullable=False),
    Column("order_id", Text),
    Column("fee", ExactDecimal),
    Column("fee_asset", Text),
    Column("cost", ExactDecimal),
    Column("margin", Flag, nullable=False),
    Column("position_id", Text),
    Index(None, "account", "fill_id"),
)

BOOK_MOVEMENTS = _book_table(
    "book_movements",
    Column("movement_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("at", Instant, nullable=False),
    Column("fee", ExactDecimal, nullable=False),
    Column("refers_to", Text),
    Column("balance_after", ExactDecimal),
    Index(None, "account", "movement_id"),
    Index(None, "account", "refers_to"),
)

BOOK_ORDERS = _book_table(
    "book_orders",
    Column("order_id", Text),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("filled", ExactDecimal, nullable=False),
    Column("status", Text, nullable=False),
    Column("client_order_id", Text),
    Column("type", Text),
    Column("price", ExactDecimal),
    Column("opened_at", Instant),
    Column("updated_at", Instant),
    # Digest of the state, to tell whether a state was delivered before.
    Column("content", Text, nullable=False),
)

# An entry stands unless a reversal that stands takes it back; what is taken back may be a reversal itself.
BOOK_REVERSALS = declared(
    "book_reversals",
    Column("reversal_id", Text, primary_key=True),
    Column("account", Text, ForeignKey("books.account"), nullable=False),
    Column("seq", Whole, nullable=False),
    Column("line", Whole, nullable=False),
    Column("added_at", Instant, nullable=False),
    # The id of an entry, or of a reversal.
    Column("takes_back", Text, nullable=False),
    # NULL: the trading system delivered its own record, which takes the place of an adjustment's.
    Column("adjustment_id", Text),
    Column("reason", Text, nullable=False),
    Index(None, "account", "seq", "line"),
    Index(None, "takes_back"),
    Index(None, "adjustment_id"),
)

# Rows with one plug_id add up to what is left of the plug: one that posts it, and those that release it.
BOOK_PLUGS = declared(
    "book_plugs",
    Column("row_id", Text, primary_key=True),
    Column("plug_id", Text, nullable=False),
    Column("account", Text, ForeignKey("books.account"), nullable=False),
    Column("seq", Whole, nullable=False),
    Column("line", Whole, nullable=False),
    Column("added_at", Instant, nullable=False),
    # posted, gave_way, taken_back or restored.
    Column("what", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("price", ExactDecimal),
    Column("at", Instant, nullable=False),
    # NULL: it gave way to what the trading system delivered.
    Column("adjustment_id", Text),
    Index(None, "account", "name"),
    Index(None, "adjustment_id"),
)

RECONCILIATION_EVENTS = declared(
    "reconciliation_events",
    Column("reconciliation_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("timestamp", Instant, nullable=False),
    Column("reconciliation_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("discrepancies_found", Whole, nullable=False),
    Column("auto_corrected", Whole, nullable=False),
    Column("manual_review_required", Whole, nullable=False),
    Column("duration_seconds", Seconds, nullable=False),
    # The bytes as they were written, not JSON of the database: that would reorder keys and rewrite numbers.
    Column("report", Text, nullable=False),
    # The report without what grows with the account, for lists; NULL in rows from before there were summaries.
    Column("summary", Text),
    Index(None, "timestamp"),
    Index(None, "account", "timestamp"),
)

# One row for each amount that an adjustment changed.
POSITION_ADJUSTMENTS = declared(
    "position_adjustments",
    Column("adjustment_id", Text, primary_key=True),
    Column("number", Whole, primary_key=True, autoincrement=False),
    Column("reconciliation_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    # The instrument of a position; of a balance its asset.
    Column("trading_pair", Text, nullable=False),
    Column("adjustment_type", Text, nullable=False),
    Column("old_value", ExactDecimal),
    Column("new_value", ExactDecimal),
    Column("reason", Text, nullable=False),
    Column("adjusted_at", Instant, nullable=False),
    Index(None, "account", "adjusted_at"),
)

# What an adjustment posts, and what became of it; each step is a row of adjustment_changes.
ADJUSTMENTS = declared(
    "adjustments",
    Column("adjustment_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("state", Text, nullable=False),
    # The digest of what is posted: an approval is good for this and nothing else.
    Column("content", Text, nullable=False),
    Column("four_eyes", Flag, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("decided_by", Text),
    Column("value", ExactDecimal),
    Column("reconciliation_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("revision", Whole, nullable=False),
    # The version of the book that it made; NULL while it is not in the book.
    Column("book_version", Whole),
    Column("outcome", Text),
    Column("body", Text, nullable=False),
    # I11, in the database as well: nothing is approved by nobody, nor by who proposed it where four eyes are asked for.
    CheckConstraint(
        "state IN ('proposed', 'rejected', 'expired') OR (decided_by IS NOT NULL AND "
        "(NOT four_eyes OR lower(trim(decided_by)) <> lower(trim(proposed_by))))",
        name="four_eyes",
    ),
    Index(None, "account", "state"),
    Index(None, "account", "at"),
)

ADJUSTMENT_CHANGES = declared(
    "adjustment_changes",
    Column("adjustment_id", Text, ForeignKey("adjustments.adjustment_id"), primary_key=True),
    Column("number", Whole, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("note", Text, nullable=False),
)

# What was handed over to a book that is kept elsewhere, as it was sent: written before it is sent. A second row of one
# adjustment is the same key once more, after it was refused or had not arrived.
HANDOVERS = declared(
    "handovers",
    Column("adjustment_id", Text, ForeignKey("adjustments.adjustment_id"), primary_key=True),
    Column("number", Whole, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # Of the account's lease; NULL where no fence was asked for.
    Column("token", Whole),
    Column("content", Text, nullable=False),
    # Where to, without secrets.
    Column("place", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "account", "at"),
)

# Who runs an account now. The token grows with every owner: whoever has an older one writes nothing any more.
LEASES = declared(
    "leases",
    Column("account", Text, primary_key=True),
    Column("token", Whole, nullable=False),
    Column("owner", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

DISCREPANCIES = declared(
    "discrepancies",
    Column("discrepancy_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("value", ExactDecimal),
    Column("largest_value", ExactDecimal),
    Column("since", Instant, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("cleared_at", Instant),
    Column("occurrences", Whole, nullable=False),
    Column("flips", Whole, nullable=False),
    # Counts what runs wrote here: a run that read an older one writes nothing.
    Column("revision", Whole, nullable=False),
    # All of it, as it was written; the columns above say the same in SQL.
    Column("body", Text, nullable=False),
    Index(None, "account", "state"),
)

DISCREPANCY_CHANGES = declared(
    "discrepancy_changes",
    Column("change_id", Text, primary_key=True),
    Column("discrepancy_id", Text, ForeignKey("discrepancies.discrepancy_id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("number", Whole, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False),
    # The run that saw it.
    Column("reconciliation_id", Text, nullable=False),
    Index(None, "discrepancy_id", "number"),
    Index(None, "account", "at"),
)

# In how many runs without a break a key was pending; a row goes when its key is judged.
PENDING_KEYS = declared(
    "pending_keys",
    Column("account", Text, primary_key=True),
    Column("exchange", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("runs", Whole, nullable=False),
)

# What people decide about a discrepancy, beside what the runs see of it.
REVIEWS = declared(
    "reviews",
    Column("discrepancy_id", Text, ForeignKey("discrepancies.discrepancy_id"), primary_key=True),
    Column("account", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("until", Instant),
    Column("reason", Text),
    Column("note", Text, nullable=False),
    # Counts the steps: two people cannot both carry on from one state.
    Column("revision", Whole, nullable=False),
    # All of it, as it was written; the columns above say the same in SQL.
    Column("body", Text, nullable=False),
    Index(None, "account", "state"),
)

REVIEW_CHANGES = declared(
    "review_changes",
    Column("change_id", Text, primary_key=True),
    Column("discrepancy_id", Text, ForeignKey("reviews.discrepancy_id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("number", Whole, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    # How we know who it was.
    Column("known_by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("reason", Text),
    Column("note", Text, nullable=False),
    Column("adjustment_id", Text),
    # All of it, what was looked at included.
    Column("body", Text, nullable=False),
    Index(None, "discrepancy_id", "number"),
)

# The columns say what the entry says, in SQL; the entry alone is read back, and its bytes are what is sealed.
JOURNAL_ENTRIES = declared(
    "journal_entries",
    Column("seq", Whole, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    # The instant as the entry writes it: compared as text, it sorts by time.
    Column("at", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("leaf", Text, nullable=False),
    Index(None, "subject"),
)

# One at the end of every transaction that wrote entries.
JOURNAL_HEADS = declared(
    "journal_heads",
    Column("number", Whole, primary_key=True, autoincrement=False),
    Column("journal", Text, nullable=False),
    Column("size", Whole, nullable=False),
    Column("root", Text, nullable=False),
    # The hashes from which the tree goes on, so that no append reads what was written before.
    Column("frontier", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", Text, nullable=False),
)

# What a run was told, so that its report can be worked out again. This row stays when the content is gone.
RECORDINGS = declared(
    "recordings",
    Column("reconciliation_id", Text, ForeignKey("reconciliation_events.reconciliation_id"), primary_key=True),
    Column("account", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # The version of the program that made it.
    Column("program", Text, nullable=False),
    Column("digest", Text, nullable=False),
    # Bytes of the raw answers, and of all that is kept of them.
    Column("size", Whole, nullable=False),
    Column("kept_size", Whole, nullable=False),
    Index(None, "at"),
)

RECORDING_CONTENTS = declared(
    "recording_contents",
    Column("reconciliation_id", Text, ForeignKey("recordings.reconciliation_id"), primary_key=True),
    Column("story", LargeBinary, nullable=False),
    Column("answers", LargeBinary, nullable=False),
)
