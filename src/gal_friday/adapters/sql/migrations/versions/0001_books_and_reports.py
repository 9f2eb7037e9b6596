"""The book, the record of runs, and the triggers that keep both append-only."""

import sqlalchemy as sa
from alembic.operations import Operations

from gal_friday.adapters.sql.columns import ExactDecimal, Flag, Instant, Seconds, Whole

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEYS = {
    "book_fills": "entry_id",
    "book_movements": "entry_id",
    "book_orders": "entry_id",
    "book_reversals": "reversal_id",
    "book_plugs": "row_id",
    "reconciliation_events": "reconciliation_id",
    "position_adjustments": "adjustment_id number",
    "adjustment_changes": "adjustment_id number",
    "discrepancy_changes": "change_id",
    "review_changes": "change_id",
    "journal_entries": "seq",
    "journal_heads": "number",
    "recordings": "reconciliation_id",
}


def upgrade(op: Operations) -> None:
    """Create all tables, indexes and triggers."""
    _create_book(op)
    _create_reversals(op)
    _create_adjustments(op)
    _create_record_of_runs(op)
    _create_discrepancies(op)
    _create_reviews(op)
    _create_pending_keys(op)
    _create_journal(op)
    _create_recordings(op)
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite(op)
    else:
        _guard_postgresql(op)
    _guard_reviews(op)
    _guard_recordings(op)


def downgrade(op: Operations) -> None:
    """Remove all tables; what they held is gone."""
    op.drop_table("recording_contents")
    for table in (*reversed(KEYS), "books", "adjustments", "leases", "reviews", "discrepancies", "pending_keys"):
        op.drop_table(table)  # indexes and triggers go with it
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION gal_friday_refuse()")
        op.execute("DROP FUNCTION gal_friday_next_revision()")
        op.execute("DROP FUNCTION gal_friday_only_forward()")
        op.execute("DROP FUNCTION gal_friday_same_adjustment()")
        op.execute("DROP FUNCTION gal_friday_growing_token()")


def _create(op: Operations, name: str, *items: sa.schema.SchemaItem) -> None:
    amounts = [item for item in items if isinstance(item, sa.Column) and isinstance(item.type, ExactDecimal)]
    exact = [
        sa.CheckConstraint(f"{amount.name} NOT GLOB '*[^0-9.-]*'", name=op.f(f"ck_{name}_{amount.name}_is_exact"))
        for amount in amounts
        if op.get_bind().dialect.name == "sqlite"
    ]
    op.create_table(name, *items, *exact, sqlite_strict=True)


def _create_entries(op: Operations, name: str, *items: sa.schema.SchemaItem) -> None:
    _create(
        op,
        name,
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("seq", Whole, nullable=False),
        sa.Column("line", Whole, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("adjustment_id", sa.Text),
        *items,
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("extra", sa.Text),
        sa.PrimaryKeyConstraint("entry_id", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["account"], ["books.account"], name=op.f(f"fk_{name}_account_books")),
    )
    _index(op, name, "account", "seq", "line")
    _index(op, name, "adjustment_id")


def _index(op: Operations, table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _create_book(op: Operations) -> None:
    _create(
        op,
        "books",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("version", Whole, nullable=False),
        sa.Column("fills_since", Instant),
        sa.Column("movements_since", Instant),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_books")),
    )
    _create_entries(
        op,
        "book_fills",
        sa.Column("fill_id", sa.Text, nullable=False),
        sa.Column("instrument", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("price", ExactDecimal, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("order_id", sa.Text),
        sa.Column("fee", ExactDecimal),
        sa.Column("fee_asset", sa.Text),
        sa.Column("cost", ExactDecimal),
        sa.Column("margin", Flag, nullable=False),
        sa.Column("position_id", sa.Text),
    )
    _create_entries(
        op,
        "book_movements",
        sa.Column("movement_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("wallet", sa.Text, nullable=False),
        sa.Column("amount", ExactDecimal, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("fee", ExactDecimal, nullable=False),
        sa.Column("refers_to", sa.Text),
        sa.Column("balance_after", ExactDecimal),
    )
    _create_entries(
        op,
        "book_orders",
        sa.Column("order_id", sa.Text),
        sa.Column("instrument", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("quantity", ExactDecimal, nullable=False),
        sa.Column("filled", ExactDecimal, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("client_order_id", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("price", ExactDecimal),
        sa.Column("opened_at", Instant),
        sa.Column("updated_at", Instant),
        sa.Column("content", sa.Text, nullable=False),
    )
    _index(op, "book_fills", "account", "fill_id")
    _index(op, "book_movements", "account", "movement_id")
    _index(op, "book_movements", "account", "refers_to")


def _create_reversals(op: Operations) -> None:
    _create(
        op,
        "book_reversals",
        sa.Column("reversal_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("seq", Whole, nullable=False),
        sa.Column("line", Whole, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("takes_back", sa.Text, nullable=False),
        sa.Column("adjustment_id", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("reversal_id", name=op.f("pk_book_reversals")),
        sa.ForeignKeyConstraint(["account"], ["books.account"], name=op.f("fk_book_reversals_account_books")),
    )
    _index(op, "book_reversals", "account", "seq", "line")
    _index(op, "book_reversals", "takes_back")
    _index(op, "book_reversals", "adjustment_id")
    _create(
        op,
        "book_plugs",
        sa.Column("row_id", sa.Text, nullable=False),
        sa.Column("plug_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("seq", Whole, nullable=False),
        sa.Column("line", Whole, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("amount", ExactDecimal, nullable=False),
        sa.Column("price", ExactDecimal),
        sa.Column("at", Instant, nullable=False),
        sa.Column("adjustment_id", sa.Text),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_book_plugs")),
        sa.ForeignKeyConstraint(["account"], ["books.account"], name=op.f("fk_book_plugs_account_books")),
    )
    _index(op, "book_plugs", "account", "name")
    _index(op, "book_plugs", "adjustment_id")


def _create_adjustments(op: Operations) -> None:
    _create(
        op,
        "adjustments",
        sa.Column("adjustment_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("four_eyes", Flag, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("value", ExactDecimal),
        sa.Column("reconciliation_id", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("revision", Whole, nullable=False),
        sa.Column("book_version", Whole),
        sa.Column("outcome", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("adjustment_id", name=op.f("pk_adjustments")),
        sa.CheckConstraint(
            "state IN ('proposed', 'rejected', 'expired') OR (decided_by IS NOT NULL AND "
            "(NOT four_eyes OR lower(trim(decided_by)) <> lower(trim(proposed_by))))",
            name=op.f("ck_adjustments_four_eyes"),
        ),
    )
    _index(op, "adjustments", "account", "state")
    _index(op, "adjustments", "account", "at")
    _create(
        op,
        "adjustment_changes",
        sa.Column("adjustment_id", sa.Text, nullable=False),
        sa.Column("number", Whole, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("from_state", sa.Text),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("adjustment_id", "number", name=op.f("pk_adjustment_changes")),
        sa.ForeignKeyConstraint(
            ["adjustment_id"],
            ["adjustments.adjustment_id"],
            name=op.f("fk_adjustment_changes_adjustment_id_adjustments"),
        ),
    )
    _create(
        op,
        "leases",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("token", Whole, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_leases")),
    )


def _create_record_of_runs(op: Operations) -> None:
    _create(
        op,
        "reconciliation_events",
        sa.Column("reconciliation_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("timestamp", Instant, nullable=False),
        sa.Column("reconciliation_type", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("discrepancies_found", Whole, nullable=False),
        sa.Column("auto_corrected", Whole, nullable=False),
        sa.Column("manual_review_required", Whole, nullable=False),
        sa.Column("duration_seconds", Seconds, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", name=op.f("pk_reconciliation_events")),
    )
    op.create_index(op.f("ix_reconciliation_events_timestamp"), "reconciliation_events", ["timestamp"])
    op.create_index(
        op.f("ix_reconciliation_events_account_timestamp"), "reconciliation_events", ["account", "timestamp"]
    )
    _create(
        op,
        "position_adjustments",
        sa.Column("adjustment_id", sa.Text, nullable=False),
        sa.Column("number", Whole, nullable=False),
        sa.Column("reconciliation_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("trading_pair", sa.Text, nullable=False),
        sa.Column("adjustment_type", sa.Text, nullable=False),
        sa.Column("old_value", ExactDecimal),
        sa.Column("new_value", ExactDecimal),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("adjusted_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("adjustment_id", "number", name=op.f("pk_position_adjustments")),
    )
    op.create_index(
        op.f("ix_position_adjustments_account_adjusted_at"),
        "position_adjustments",
        ["account", "adjusted_at"],
    )


def _create_discrepancies(op: Operations) -> None:
    _create(
        op,
        "discrepancies",
        sa.Column("discrepancy_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("value", ExactDecimal),
        sa.Column("largest_value", ExactDecimal),
        sa.Column("since", Instant, nullable=False),
        sa.Column("first_seen", Instant, nullable=False),
        sa.Column("last_seen", Instant, nullable=False),
        sa.Column("confirmed_at", Instant),
        sa.Column("cleared_at", Instant),
        sa.Column("occurrences", Whole, nullable=False),
        sa.Column("flips", Whole, nullable=False),
        sa.Column("revision", Whole, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("discrepancy_id", name=op.f("pk_discrepancies")),
    )
    op.create_index(op.f("ix_discrepancies_account_state"), "discrepancies", ["account", "state"])
    _create(
        op,
        "discrepancy_changes",
        sa.Column("change_id", sa.Text, nullable=False),
        sa.Column("discrepancy_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("number", Whole, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("reconciliation_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_discrepancy_changes")),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"],
            ["discrepancies.discrepancy_id"],
            name=op.f("fk_discrepancy_changes_discrepancy_id_discrepancies"),
        ),
    )
    op.create_index(
        op.f("ix_discrepancy_changes_discrepancy_id_number"), "discrepancy_changes", ["discrepancy_id", "number"]
    )


def _create_reviews(op: Operations) -> None:
    _create(
        op,
        "reviews",
        sa.Column("discrepancy_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("assignee", sa.Text, nullable=False),
        sa.Column("until", Instant),
        sa.Column("reason", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("revision", Whole, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("discrepancy_id", name=op.f("pk_reviews")),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"], ["discrepancies.discrepancy_id"], name=op.f("fk_reviews_discrepancy_id_discrepancies")
        ),
    )
    op.create_index(op.f("ix_reviews_account_state"), "reviews", ["account", "state"])
    _create(
        op,
        "review_changes",
        sa.Column("change_id", sa.Text, nullable=False),
        sa.Column("discrepancy_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("number", Whole, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("known_by", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("from_state", sa.Text, nullable=False),
        sa.Column("to_state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("adjustment_id", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_review_changes")),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"], ["reviews.discrepancy_id"], name=op.f("fk_review_changes_discrepancy_id_reviews")
        ),
    )
    op.create_index(op.f("ix_review_changes_discrepancy_id_number"), "review_changes", ["discrepancy_id", "number"])


def _guard_reviews(op: Operations) -> None:
    """A review is never removed, and goes from one revision to the next and no other."""
    wrong = "NEW.revision <> OLD.revision + 1 OR NEW.discrepancy_id <> OLD.discrepancy_id OR NEW.account <> OLD.account"
    if op.get_bind().dialect.name == "sqlite":
        never = "BEGIN SELECT RAISE(ABORT, 'a review is never removed'); END"
        op.execute(f"CREATE TRIGGER reviews_no_delete BEFORE DELETE ON reviews {never}")
        refuse = "BEGIN SELECT RAISE(ABORT, 'a review goes forward step by step'); END"
        op.execute(f"CREATE TRIGGER reviews_next_revision BEFORE UPDATE ON reviews WHEN {wrong} {refuse}")
        return
    op.execute(
        "CREATE FUNCTION gal_friday_next_revision() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {wrong} THEN RAISE EXCEPTION 'a review goes forward step by step'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER reviews_next_revision BEFORE UPDATE ON reviews "
        "FOR EACH ROW EXECUTE FUNCTION gal_friday_next_revision()"
    )
    for event, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER reviews_no_{event.lower()} BEFORE {event} ON reviews "
            f"FOR EACH {each} EXECUTE FUNCTION gal_friday_refuse()"
        )


def _create_pending_keys(op: Operations) -> None:
    _create(
        op,
        "pending_keys",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("runs", Whole, nullable=False),
        sa.PrimaryKeyConstraint("account", "exchange", "kind", "name", "part", name=op.f("pk_pending_keys")),
    )


def _create_journal(op: Operations) -> None:
    _create(
        op,
        "journal_entries",
        sa.Column("seq", Whole, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("leaf", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal_entries")),
    )
    op.create_index(op.f("ix_journal_entries_subject"), "journal_entries", ["subject"])
    _create(
        op,
        "journal_heads",
        sa.Column("number", Whole, nullable=False, autoincrement=False),
        sa.Column("journal", sa.Text, nullable=False),
        sa.Column("size", Whole, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("frontier", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_journal_heads")),
    )


def _guard_sqlite(op: Operations) -> None:
    for table, key in KEYS.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
        # INSERT OR REPLACE, from a program that did not switch recursive triggers on.
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own names
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {_same(key)}) {refuse}"
        )
    never = "BEGIN SELECT RAISE(ABORT, 'a discrepancy is never removed'); END"
    op.execute(f"CREATE TRIGGER discrepancies_no_delete BEFORE DELETE ON discrepancies {never}")
    refuse = "BEGIN SELECT RAISE(ABORT, 'books only go forward'); END"
    op.execute(f"CREATE TRIGGER books_no_delete BEFORE DELETE ON books {refuse}")
    op.execute(
        "CREATE TRIGGER books_only_forward BEFORE UPDATE ON books WHEN NEW.version < OLD.version "
        f"OR NEW.account <> OLD.account OR NEW.exchange <> OLD.exchange {refuse}"
    )
    op.execute(
        "CREATE TRIGGER books_no_replace BEFORE INSERT ON books "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM books WHERE account = NEW.account) {refuse}"
    )
    refuse = "BEGIN SELECT RAISE(ABORT, 'what an adjustment posts and who proposed it stays'); END"
    op.execute(f"CREATE TRIGGER adjustments_no_delete BEFORE DELETE ON adjustments {refuse}")
    op.execute(f"CREATE TRIGGER adjustments_stay BEFORE UPDATE ON adjustments WHEN {_OTHER} {refuse}")
    op.execute(
        "CREATE TRIGGER adjustments_no_replace BEFORE INSERT ON adjustments "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM adjustments WHERE adjustment_id = NEW.adjustment_id) {refuse}"
    )
    refuse = "BEGIN SELECT RAISE(ABORT, 'the token of a lease only grows'); END"
    op.execute(f"CREATE TRIGGER leases_no_delete BEFORE DELETE ON leases {refuse}")
    op.execute(f"CREATE TRIGGER leases_grow BEFORE UPDATE ON leases WHEN {_SHRUNK} {refuse}")
    op.execute(
        "CREATE TRIGGER leases_no_replace BEFORE INSERT ON leases "  # noqa: S608 - our own names
        f"WHEN EXISTS (SELECT 1 FROM leases WHERE account = NEW.account) {refuse}"
    )


# An adjustment that expired or was refused may be proposed anew, by somebody else; its content stays.
_OTHER = (
    "NEW.adjustment_id <> OLD.adjustment_id OR NEW.account <> OLD.account OR NEW.exchange <> OLD.exchange "
    "OR NEW.content <> OLD.content OR NEW.revision <= OLD.revision OR (OLD.state NOT IN ('expired', 'refused') "
    "AND (NEW.proposed_by <> OLD.proposed_by OR NEW.four_eyes <> OLD.four_eyes))"
)
_SHRUNK = "NEW.account <> OLD.account OR NEW.token < OLD.token"


def _same(key: str) -> str:
    return " AND ".join(f"{name} = NEW.{name}" for name in key.split())


def _guard_postgresql(op: Operations) -> None:
    op.execute(
        "CREATE FUNCTION gal_friday_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        "CREATE FUNCTION gal_friday_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.version < OLD.version OR NEW.account <> OLD.account OR NEW.exchange <> OLD.exchange "
        "THEN RAISE EXCEPTION 'books only go forward'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE FUNCTION gal_friday_same_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_OTHER} THEN RAISE EXCEPTION 'what an adjustment posts and who proposed it stays'; "
        "END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE FUNCTION gal_friday_growing_token() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {_SHRUNK} THEN RAISE EXCEPTION 'the token of a lease only grows'; END IF; RETURN NEW; END $$"
    )
    for table, function in (("adjustments", "same_adjustment"), ("leases", "growing_token")):
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION gal_friday_{function}()"
        )
    for table in KEYS:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gal_friday_refuse()"
        )
    for table in (*KEYS, "books", "discrepancies", "adjustments", "leases"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gal_friday_refuse()"
        )
    for table in ("books", "discrepancies", "adjustments", "leases"):
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gal_friday_refuse()"
        )
    op.execute(
        "CREATE TRIGGER books_only_forward BEFORE UPDATE ON books "
        "FOR EACH ROW EXECUTE FUNCTION gal_friday_only_forward()"
    )


def _create_recordings(op: Operations) -> None:
    _create(
        op,
        "recordings",
        sa.Column("reconciliation_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("program", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", Whole, nullable=False),
        sa.Column("kept_size", Whole, nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", name=op.f("pk_recordings")),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation_events.reconciliation_id"],
            name=op.f("fk_recordings_reconciliation_id_reconciliation_events"),
        ),
    )
    op.create_index(op.f("ix_recordings_at"), "recordings", ["at"])
    _create(
        op,
        "recording_contents",
        sa.Column("reconciliation_id", sa.Text, nullable=False),
        sa.Column("story", sa.LargeBinary, nullable=False),
        sa.Column("answers", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", name=op.f("pk_recording_contents")),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["recordings.reconciliation_id"],
            name=op.f("fk_recording_contents_reconciliation_id_recordings"),
        ),
    )


def _guard_recordings(op: Operations) -> None:
    """What was recorded is removed when its time is over, and never changed."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'a recording is never changed'); END"
        op.execute(f"CREATE TRIGGER recording_contents_no_update BEFORE UPDATE ON recording_contents {refuse}")
        op.execute(
            "CREATE TRIGGER recording_contents_no_replace BEFORE INSERT ON recording_contents "  # noqa: S608 - our own names
            f"WHEN EXISTS (SELECT 1 FROM recording_contents WHERE {_same('reconciliation_id')}) {refuse}"
        )
        return
    for event, each in (("UPDATE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER recording_contents_no_{event.lower()} BEFORE {event} ON recording_contents "
            f"FOR EACH {each} EXECUTE FUNCTION gal_friday_refuse()"
        )
