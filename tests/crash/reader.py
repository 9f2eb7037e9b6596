"""What a database holds after a crash, read with plain SQL and judged without any code of this program.

``read`` gives the rows, ``wrong`` says what is wrong with them, ``outcome_of`` what they come to. Amounts are added
here from the rows that stand, hashes computed from the bytes. It would go on judging if the program were rewritten.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Context, Decimal
from hashlib import sha256
from typing import Any

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]

TABLES = (
    *("books", "book_fills", "book_movements", "book_orders", "book_reversals", "book_plugs"),
    *("adjustments", "adjustment_changes", "position_adjustments", "reconciliation_events"),
    *("discrepancies", "discrepancy_changes", "reviews", "review_changes", "journal_entries", "journal_heads"),
    *("recordings", "recording_contents"),
)
_RECORDS = {"fill": ("book_fills", "fill_id"), "movement": ("book_movements", "movement_id")}
_WRITTEN = ("applied", "verified", "unverified", "reversed")
_TELLS_A_FILL = ("trade", "fee", "margin", "settlement")
_EXACT = Context(prec=120)


async def read(address: str) -> Rows | None:
    """Return the rows of every table; None for a database without any of them.

    Raises:
        AssertionError: some tables are there and others not.
    """
    found = _sqlite(address) if address.startswith("sqlite") else await _postgresql(address)
    assert not found or set(found) == set(TABLES), f"a migration left these alone: {sorted(found)}"
    return found or None


def _sqlite(address: str) -> Rows:
    with closing(sqlite3.connect(address.partition(":///")[2])) as connection:
        connection.row_factory = sqlite3.Row
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in TABLES if name in there
        }


async def _postgresql(address: str) -> Rows:
    import asyncpg

    connection = await asyncpg.connect(address.replace("+asyncpg", ""))
    try:
        there = {row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables")}
        names = [name for name in TABLES if name in there]
        return {name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for name in names}
    finally:
        await connection.close()


def wrong(rows: Rows, acknowledged: Sequence[Row] = ()) -> list[str]:
    """Return everything that is wrong, in words; nothing where all is well."""
    return [
        *_half_written(rows),
        *_not_in_the_journal(rows),
        *_broken_journal(rows),
        *_half_recorded(rows),
        *(f"lost: {ack}" for ack in acknowledged if not _is_kept(rows, ack)),
        *_contradicted(acknowledged),
    ]


def balances(rows: Rows, *, version: int | None = None) -> dict[str, str]:
    """Return what stands, added up, by asset; as it was at this version of the book, else as it is."""
    at = [one for one in rows["book_reversals"] if version is None or one["seq"] <= version]
    gone = _taken_back(at)
    stands = {
        name: [row for row in rows[name] if row["entry_id"] not in gone and (version is None or row["seq"] <= version)]
        for name in ("book_fills", "book_movements")
    }
    told = {row["refers_to"] for row in stands["book_movements"] if row["kind"] in _TELLS_A_FILL}
    sums: dict[str, Decimal] = {}
    for row in stands["book_movements"]:
        _add(sums, row["asset"], row["amount"], -1 * Decimal(row["fee"]))
    for row in stands["book_fills"]:
        if row["fill_id"] not in told:
            _add_fill(sums, row)
    for row in rows["book_plugs"]:
        if row["kind"] == "balances" and (version is None or row["seq"] <= version):
            _add(sums, row["name"], row["amount"])
    return {asset: f"{amount.normalize(_EXACT):f}" for asset, amount in sorted(sums.items()) if amount}


def outcome_of(rows: Rows) -> dict[str, Any]:
    """Return what it all came to: the same however often it was interrupted."""
    return {
        "balances": balances(rows),
        "suspense": _suspense(rows),
        "version": [row["version"] for row in rows["books"]],
        "records": _counted(rows, "book_fills", "fill_id") | _counted(rows, "book_movements", "movement_id"),
        "orders": _counted(rows, "book_orders", "order_id"),
        "adjustments": sorted((row["type"], row["state"], row["content"]) for row in rows["adjustments"]),
        "reports": sorted(row["reconciliation_id"] for row in rows["reconciliation_events"]),
        "discrepancies": sorted((row["key"], row["state"], row["occurrences"]) for row in rows["discrepancies"]),
        "reviews": sorted((row["action"], row["note"]) for row in rows["review_changes"]),
        "review states": sorted(row["state"] for row in rows["reviews"]),
    }


def _half_written(rows: Rows) -> Iterator[str]:
    """I9: the entries of an adjustment are in the book once, all of them, or not at all."""
    for row in rows["adjustments"]:
        name, version, found = row["adjustment_id"], row["book_version"], _entries_of(rows, row["adjustment_id"])
        if (row["state"] in _WRITTEN and version is None) or (row["state"] in ("proposed", "approved") and version):
            yield f"{name} is {row['state']} and made version {version}"
        expected = Counter() if version is None else _posted_by(json.loads(row["body"]))
        counted = Counter(what for what, _ in found)
        if row["type"] == "reversal":
            # What it takes back is told by the book itself: something, or nothing.
            if bool(found) != (version is not None):
                yield f"{name} made version {version} and has {len(found)} entries"
        elif counted != expected:
            yield f"{name} made version {version} and posted {counted}, not {expected}"
        if any(seq != version for _, seq in found):
            yield f"{name} made version {version}, and posted at {sorted({seq for _, seq in found})}"
    # Whatever names an adjustment has one.
    known = {row["adjustment_id"] for row in rows["adjustments"]}
    named = {row["adjustment_id"] for name in TABLES[1:6] for row in rows[name]} - {None}
    yield from (f"{name} is in the book and nowhere else" for name in named - known)
    yield from _versions(rows)


def _versions(rows: Rows) -> Iterator[str]:
    for book in rows["books"]:
        seqs = {row["seq"] for name in TABLES[1:6] for row in rows[name] if row["account"] == book["account"]}
        if seqs != set(range(1, book["version"] + 1)):
            yield f"the book is at version {book['version']} and has entries of {sorted(seqs)}"
        made = [row["book_version"] for row in rows["adjustments"] if row["book_version"] is not None]
        if len(set(made)) != len(made):
            yield f"two adjustments made one version: {sorted(made)}"


def _entries_of(rows: Rows, name: str) -> list[tuple[str, int]]:
    found = [
        (f"{what} {row[column]}", row["seq"])
        for what, (table, column) in _RECORDS.items()
        for row in rows[table]
        if row["adjustment_id"] == name
    ]
    found += [(f"order {row['order_id']}", row["seq"]) for row in rows["book_orders"] if row["adjustment_id"] == name]
    found += [("taken back", row["seq"]) for row in rows["book_reversals"] if row["adjustment_id"] == name]
    mine = [row for row in rows["book_plugs"] if row["adjustment_id"] == name and row["what"] != "gave_way"]
    return found + [(f"plug {row['name']} {Decimal(row['amount']):f}", row["seq"]) for row in mine]


def _posted_by(adjustment: Row) -> Counter[str]:
    expected: Counter[str] = Counter()
    for posting in adjustment["postings"]:
        match posting["post"]:
            case "fill":
                expected[f"fill {posting['fill']['fill_id']}"] += 1
            case "movement":
                expected[f"movement {posting['movement']['movement_id']}"] += 1
            case "order":
                expected[f"order {posting['order']['order_id']}"] += 1
            case "take_back":
                expected["taken back"] += posting["entries"]
            case "plug":
                expected[f"plug {posting['name']} {posting['amount']}"] += 1
    return expected


def _not_in_the_journal(rows: Rows) -> Iterator[str]:
    """I10: every change has its entry, and every entry its change."""
    said = [json.loads(row["entry"]) for row in rows["journal_entries"]]
    sides: dict[str, tuple[list[Any], list[Any]]] = {
        "adjustment": (
            [(row["adjustment_id"], row["to_state"], _instant(row["at"])) for row in rows["adjustment_changes"]],
            [(one["subject"], one["body"]["state"], _instant(one["at"])) for one in said if _of(one, "adj_")],
        ),
        "review": (
            [(row["discrepancy_id"], row["number"], row["action"]) for row in rows["review_changes"]],
            [
                (one["subject"], one["body"]["change"], one["body"]["action"])
                for one in said
                if one["kind"].startswith("review_") and not _of(one, "adj_")
            ],
        ),
        "discrepancy": (
            [(row["discrepancy_id"], row["number"], row["what"]) for row in rows["discrepancy_changes"]],
            [
                (one["subject"], one["body"]["change"], one["kind"].removeprefix("discrepancy_"))
                for one in said
                if one["kind"].startswith("discrepancy_") and one["kind"] != "discrepancy_explained"
            ],
        ),
        "run": (
            [(row["reconciliation_id"], sha256(row["report"].encode()).hexdigest()) for row in _reports(rows)],
            [(one["subject"], one["body"]["report_sha256"]) for one in said if one["kind"] == "run_finished"],
        ),
    }
    for what, (changes, entries) in sides.items():
        if Counter(changes) != Counter(entries):
            alone = Counter(changes) - Counter(entries), Counter(entries) - Counter(changes)
            yield f"{what}: changes without an entry {dict(alone[0])}, entries without a change {dict(alone[1])}"
    yield from _unlike_their_changes(rows)


def _half_recorded(rows: Rows) -> Iterator[str]:
    """What a run was told is kept with its report, whole."""
    known = {row["reconciliation_id"] for row in rows["recordings"]}
    contents = {row["reconciliation_id"] for row in rows["recording_contents"]}
    yield from (f"the recording of {name} is half there" for name in known ^ contents)
    reports = {row["reconciliation_id"] for row in rows["reconciliation_events"]}
    yield from (f"the recording of {name} is of no report" for name in known - reports)


def _reports(rows: Rows) -> Sequence[Row]:
    return rows["reconciliation_events"]


def _of(entry: Row, prefix: str) -> bool:
    return str(entry["subject"]).startswith(prefix)


def _unlike_their_changes(rows: Rows) -> Iterator[str]:
    last: dict[str, Row] = {}
    for change in sorted(rows["adjustment_changes"], key=lambda row: row["number"]):
        before = last.get(change["adjustment_id"])
        if (before and before["to_state"]) != change["from_state"]:
            yield f"change {change['number']} of {change['adjustment_id']} does not follow from the one before it"
        last[change["adjustment_id"]] = change
    for row in rows["adjustments"]:
        if row["adjustment_id"] not in last or last[row["adjustment_id"]]["to_state"] != row["state"]:
            yield f"{row['adjustment_id']} is {row['state']}, and its last change says something else"


def _broken_journal(rows: Rows) -> Iterator[str]:
    entries = sorted(rows["journal_entries"], key=lambda row: row["seq"])
    heads = sorted(rows["journal_heads"], key=lambda row: row["number"])
    leaves = [leaf_of(row["entry"].encode()) for row in entries]
    if [row["seq"] for row in entries] != list(range(1, len(entries) + 1)):
        yield "the sequence of entries has a gap"
    if [row["number"] for row in heads] != list(range(1, len(heads) + 1)):
        yield "the sequence of heads has a gap"
    yield from (f"leaf {row['seq']}" for row, leaf in zip(entries, leaves, strict=True) if row["leaf"] != leaf.hex())
    if (heads[-1]["size"] if heads else 0) != len(entries):
        yield "the newest head does not stand over all entries"
    yield from (f"root {head['number']}" for head in heads if head["root"] != root_of(leaves[: head["size"]]).hex())


def leaf_of(entry: bytes) -> bytes:
    """Return the hash of an entry, as RFC 9162 defines it."""
    return sha256(b"\x00" + entry).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a hash tree as RFC 9162 section 2.1.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()


def _is_kept(rows: Rows, ack: Row) -> bool:
    """I16: what a call returned for is there."""
    there: Sequence[object]
    match ack:
        case {"records": wanted}:
            there = [row[column] for table, column in _RECORDS.values() for row in rows[table]]
            there = [*there, *(row["order_id"] for row in rows["book_orders"])]
            return set(wanted) <= set(there)
        case {"adjustment": name, "outcome": wanted}:
            return any(json.loads(row["outcome"] or "null") == wanted for row in _named(rows, "adjustments", name))
        case {"adjustment": name, "state": wanted}:
            return any(row["to_state"] == wanted for row in _named(rows, "adjustment_changes", name))
        case {"report": wanted}:
            return any(row["reconciliation_id"] == wanted for row in rows["reconciliation_events"])
        case {"review": wanted, "number": number, "action": action}:
            changes = rows["review_changes"]
            there = [(row["discrepancy_id"], row["number"], row["action"]) for row in changes]
            return (wanted, number, action) in there
        case _:
            return True


def _named(rows: Rows, table: str, name: str) -> list[Row]:
    return [row for row in rows[table] if row["adjustment_id"] == name]


def _contradicted(acknowledged: Sequence[Row]) -> Iterator[str]:
    first: dict[str, object] = {}
    for ack in acknowledged:
        if "outcome" in ack and first.setdefault(ack["adjustment"], ack["outcome"]) != ack["outcome"]:
            yield f"two outcomes: {first[ack['adjustment']]}, then {ack['outcome']}"


def _taken_back(reversals: Sequence[Row]) -> set[str]:
    gone: set[str] = set()
    # A reversal is taken back only by a later one: the latest are decided first.
    for row in sorted(reversals, key=lambda row: (row["seq"], row["line"]), reverse=True):
        if row["reversal_id"] not in gone:
            gone.add(row["takes_back"])
    return gone


def _add_fill(sums: dict[str, Decimal], row: Row) -> None:
    base, _, quote = row["instrument"].partition("/")
    fee = Decimal(row["fee"] or 0)
    if not row["margin"]:
        quantity, price = Decimal(row["quantity"]), Decimal(row["price"])
        cost = _EXACT.multiply(quantity, price) if row["cost"] is None else Decimal(row["cost"])
        sign = 1 if row["side"] == "buy" else -1
        _add(sums, base, _EXACT.multiply(quantity, Decimal(sign)))
        _add(sums, quote, _EXACT.multiply(cost, Decimal(-sign)))
    _add(sums, row["fee_asset"] or quote, _EXACT.minus(fee))


def _add(sums: dict[str, Decimal], asset: str, *amounts: Any) -> None:
    for amount in amounts:
        sums[asset] = _EXACT.add(sums.get(asset, Decimal(0)), Decimal(amount))


def _suspense(rows: Rows) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for row in rows["book_plugs"]:
        _add(sums, f"{row['kind']}:{row['name']}:{row['part']}", row["amount"])
    return {place: f"{amount.normalize(_EXACT):f}" for place, amount in sorted(sums.items()) if amount}


def _counted(rows: Rows, table: str, column: str) -> dict[str, int]:
    gone = _taken_back(rows["book_reversals"])
    return dict(sorted(Counter(str(row[column]) for row in rows[table] if row["entry_id"] not in gone).items()))


def _instant(value: Any) -> datetime:
    return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)
