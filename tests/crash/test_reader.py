"""The reader that judges a crash finds each of the things that it looks for, row by row."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.crash import reader
from tests.crash.rounds import Ground, worker
from tests.postgres.databases import Databases

pytestmark = pytest.mark.crash
Tables = dict[str, list[dict[str, Any]]]


def _first(rows: Tables, table: str) -> dict[str, Any]:
    return next(row for row in rows[table] if row["adjustment_id"])


HARM: dict[str, tuple[Callable[[Tables], object], str]] = {
    "an entry of an adjustment twice": (
        lambda rows: rows["book_fills"].append(_first(rows, "book_fills") | {"entry_id": "again"}),
        "and posted",
    ),
    "an entry of an adjustment gone": (
        lambda rows: rows["book_movements"].remove(_first(rows, "book_movements")),
        "and posted",
    ),
    "an entry at another version": (lambda rows: _first(rows, "book_fills").update(seq=9), "posted at"),
    "entries of no adjustment": (lambda rows: _first(rows, "book_plugs").update(adjustment_id="x"), "nowhere else"),
    "applied and not written": (lambda rows: rows["adjustments"][0].update(book_version=None), "made version None"),
    "a state without its change": (lambda rows: rows["adjustments"][0].update(state="verified"), "last change"),
    "a change that is gone": (lambda rows: rows["adjustment_changes"].pop(), "entries without a change"),
    "an entry of the journal gone": (lambda rows: rows["journal_entries"].pop(), "changes without an entry"),
    "a leaf of something else": (lambda rows: rows["journal_entries"][3].update(leaf="00"), "leaf 4"),
    "a root of something else": (lambda rows: rows["journal_heads"][-1].update(root="00"), "root"),
    "a version without entries": (lambda rows: rows["books"][0].update(version=99), "is at version 99"),
    "a head gone": (lambda rows: rows["journal_heads"].pop(), "does not stand over all entries"),
}


@pytest.fixture
async def whole(tmp_path: Path, databases: Databases) -> Tables:
    async with (
        worker() as by,
        Ground("sqlite", tmp_path, databases, by) as ground,
        ground.copy("adjust") as (address, folder),
    ):
        await by.live(address=address, folder=str(folder), job="adjust")
        rows = await reader.read(address)
    assert rows is not None
    return {name: [dict(row) for row in some] for name, some in rows.items()}


async def test_every_harm_is_found_and_nothing_else(whole: Tables) -> None:
    assert reader.wrong(whole) == []
    for name, (harm, found) in HARM.items():
        rows = deepcopy(whole)
        harm(rows)
        assert found in " ".join(reader.wrong(rows)), name


def test_the_root_of_known_leaves_is_that_of_the_standard() -> None:
    """Seven entries of the test vectors of RFC 6962, whose tree RFC 9162 keeps."""
    leaves = [b"", b"\0", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", b"\x50\x51\x52\x53\x54\x55\x56\x57"]
    root = reader.root_of([reader.leaf_of(leaf) for leaf in leaves])
    assert root.hex() == "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"
