"""``gal-friday journal``: what it says, and its exit status, on the journal of a run."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gal_friday.bootstrap.demo import running_demo
from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """Run the demo's exchange in a thread of its own and return the path of its configuration."""
    started, stop = threading.Event(), asyncio.Event()
    place: list[str] = []
    loop = asyncio.new_event_loop()

    async def serving() -> None:
        async with running_demo() as running:
            place.append(str(running.configuration))
            await running.service.run_reconciliation()
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serving(),))
    thread.start()
    assert started.wait(50)
    yield place[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def test_an_empty_journal_is_whole(run: Run) -> None:
    outcome = run("journal", "verify")
    assert (outcome.status, outcome.out) == (0, "verified: nothing was written to the journal yet\n")


def test_there_is_no_head_of_an_empty_journal_to_hand_out(run: Run) -> None:
    outcome = run("journal", "anchor")
    assert (outcome.status, outcome.out) == (4, "")
    assert "`gal-friday run` writes the first" in outcome.err


def test_a_run_is_in_the_journal(run: Run, demo: str) -> None:
    found = run("journal", "verify", "--config", demo, "--json").json()
    assert (found["broken"], found["reports"]) == (None, 1)
    shown = run("journal", "show", "--config", demo, "--kind", "run_finished", "--json").json()
    assert [entry["body"]["verdict"] for entry in shown["entries"]] == ["discrepancies"]
    text = run("journal", "show", "--config", demo, "--kind", "run_finished", "--limit", "3")
    assert (text.status, text.err, len(text.out.splitlines())) == (0, "", 2)
    assert "gal-friday (system)" in text.out


def test_entries_are_chosen_by_account_subject_and_time(run: Run, demo: str) -> None:
    every = run("journal", "show", "--config", demo, "--limit", "1000", "--json").json()["entries"]
    one = next(entry["subject"] for entry in every if entry["kind"] == "discrepancy_opened")
    about = run("journal", "show", "--config", demo, "--subject", one[:12], "--json").json()["entries"]
    assert {entry["subject"] for entry in about} == {one}
    of_main = run("journal", "show", "--config", demo, "--account", "main", "--limit", "1000", "--json").json()
    assert of_main["count"] == sum(entry["account"] == "main" for entry in every)
    none = run("journal", "show", "--config", demo, "--since", "2100-01-01")
    assert (none.status, none.out, none.err) == (0, "", "the journal has no such entry\n")


def test_a_head_is_handed_out_and_met_again(run: Run, demo: str) -> None:
    assert run("journal", "anchor", "--to", "heads.jsonl", "--config", demo).out.startswith("heads.jsonl has head ")
    line = run("journal", "anchor", "--config", demo)
    with Path("heads.jsonl").open("a", encoding="utf-8") as file:
        file.write(line.out)
    outcome = run("journal", "verify", "--anchor", "heads.jsonl", "--config", demo)
    assert (outcome.status, "2 heads kept outside" in outcome.out) == (0, True)
    shown = run("journal", "show", "--kind", "journal_anchored", "--config", demo, "--json").json()["entries"]
    assert [entry["body"]["to"] for entry in shown[:2]] == ["standard output", "heads.jsonl"]
    assert {entry["actor"]["known_by"] for entry in shown} == {"self-declared"}


def test_an_export_is_written_with_its_script(run: Run, demo: str) -> None:
    outcome = run("journal", "export", "journal.jsonl", "--config", demo)
    assert (outcome.status, outcome.out) == (0, "")
    assert "python -I -S verify_journal.py journal.jsonl" in outcome.err
    assert json.loads(Path("journal.jsonl").read_bytes().splitlines()[0])["format"] == "gal-friday/journal/1"
    assert sorted(path.name for path in Path().iterdir()) == ["journal.jsonl", "verify_journal.py"]
    again = run("journal", "export", "journal.jsonl", "--config", demo)
    assert (again.status, "--force replaces it" in again.err) == (2, True)
    assert run("journal", "export", "journal.jsonl", "--force", "--config", demo).status == 0


def test_the_keys_that_may_have_signed_can_be_named(run: Run, demo: str) -> None:
    (key,) = run("journal", "verify", "--config", demo, "--json").json()["keys"]
    public = json.loads(run("journal", "anchor", "--config", demo).out)["public_key"]
    assert run("journal", "verify", "--key", key, "--config", demo).status == 0
    assert run("journal", "verify", "--key", public, "--config", demo).status == 0
    other = run("journal", "verify", "--key", "key_0000000000000000", "--config", demo)
    assert (other.status, other.out.startswith("BROKEN at head 1: signed with a key that is not trusted")) == (1, True)


def test_a_change_behind_the_programs_back_is_told_with_its_place(run: Run, demo: str) -> None:
    file = Path(demo).parent / "gal-friday.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        (trigger,) = database.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'journal_entries_no_update'"
        ).fetchone()
        (entry,) = database.execute("SELECT entry FROM journal_entries WHERE seq = 5").fetchone()
        database.execute("DROP TRIGGER journal_entries_no_update")
        change = "UPDATE journal_entries SET entry = ? WHERE seq = 5"
        database.execute(change, (entry.replace("main", "mane"),))
        outcome = run("journal", "verify", "--config", demo)
        database.execute(change, (entry,))
        database.execute(trigger)
    assert outcome.status == 1
    assert outcome.out.startswith(
        "BROKEN at entry 5: the entry is not the one that its hash was taken of\n  expected  "
    )
    assert "keep a copy of the database" in outcome.err
    assert run("journal", "verify", "--config", demo).status == 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["show", "--limit", "0"], "--limit goes from 1"),
        (["show", "--since", "soon"], "'soon' is no day or time"),
        (["verify", "--key", "x"], "'x' is no key"),
        (["verify", "--key", "z" * 64], "is no public key"),
        (["verify", "--anchor", "none.jsonl"], "cannot read none.jsonl"),
        (["export", "none/journal.jsonl"], "cannot write none/journal.jsonl"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, arguments: list[str], said: str) -> None:
    outcome = run("journal", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert said in outcome.err
