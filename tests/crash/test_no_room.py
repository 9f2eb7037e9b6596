"""No room, or no right to write: it is said in words, nothing is lost or half done, and it goes on afterwards (I16)."""

from pathlib import Path
from typing import Any

import pytest

from tests.crash import reader
from tests.crash.rounds import Ground, outcome_of, worker
from tests.postgres.databases import Databases

pytestmark = [pytest.mark.crash, pytest.mark.slow]
FULL = "cannot grow: the disk is full; free some space, then try again"
FAILING = "could not be read or written; check the disk (full, over quota, or failing)"
READ_ONLY = "may only be read; give this user the right to write the file and its folder"
LIMITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a run that finds no room halfway": ({"pages": 11}, "was not recorded", FULL),
    "a decision that finds no room": ({"pages": 30}, "in approve", FULL),
    "no file may grow": ({"bytes": 100_000}, "was not recorded", FAILING),
    "no right to write": ({"read_only": True}, "in run_reconciliation", READ_ONLY),
}


@pytest.mark.timeout(180)  # on a machine that is busy with other things
async def test_who_finds_no_room_says_so_and_goes_on_when_there_is_some(tmp_path: Path, databases: Databases) -> None:
    async with worker() as by, Ground("sqlite", tmp_path, databases, by) as ground:
        expected = await ground.undisturbed("serve")
        for name, (limit, where, words) in LIMITS.items():
            async with ground.copy("serve") as (address, folder):
                asked = {"address": address, "folder": str(folder), "job": "serve"}
                ended, said = await by.live(**asked, **limit)
                assert ended == 1, name
                told = said[-1]["failed"]
                assert where in told, f"{name}: {told}"
                assert f"book.db {words}" in told, f"{name}: {told}"
                await looked_at(name, address, said)
                ended, more = await by.live(**asked, again=True)
                assert ended == 0, f"{name}: {more[-1:]}"
                rows = await looked_at(name, address, [*said, *more])
                assert outcome_of("serve", rows) == expected.outcome, name


async def looked_at(name: str, address: str, said: list[dict[str, Any]]) -> reader.Rows:
    """Return the rows, in which nothing is wrong and nothing acknowledged is missing."""
    rows = await reader.read(address)
    assert rows is not None, name
    assert reader.wrong(rows, said) == [], name
    return rows
