"""``gal-friday scenario``: what holds, what does not, and a clear sentence for a file that is no scenario."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

HOLDS = """A deposit that nobody booked.

internal 2026-03-01T00:00:00Z EUR 100
exchange 2026-03-01T00:00:00Z EUR 350
moved exchange L1 deposit EUR 250

expect EUR excess 250 = L1 residual 0 because unbooked_deposit
"""
FAILS = HOLDS.replace("because unbooked_deposit", "because reward")


def written(folder: Path, text: str, name: str = "story.txt") -> str:
    """Return the path of a new file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_scenario_that_holds_ends_with_zero(run: Run, tmp_path: Path) -> None:
    outcome = run("scenario", written(tmp_path, HOLDS))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("holds  ")
    assert outcome.out.endswith("1 of 1 scenarios hold\n")


def test_one_that_does_not_says_what_was_expected_and_what_was_found(run: Run, tmp_path: Path) -> None:
    outcome = run("scenario", written(tmp_path, FAILS))
    assert outcome.status == 1
    assert "line 7: expect EUR excess 250 = L1 residual 0 because reward" in outcome.out
    assert "found: EUR excess 250 = L1 residual 0 because unbooked_deposit" in outcome.out


def test_of_several_one_that_fails_is_enough(run: Run, tmp_path: Path) -> None:
    files = [written(tmp_path, HOLDS, "a.txt"), written(tmp_path, FAILS, "b.txt")]
    outcome = run("scenario", *files)
    assert outcome.status == 1
    assert outcome.out.endswith("1 of 2 scenarios hold\n")


def test_a_difference_that_nobody_expected_fails_the_scenario(run: Run, tmp_path: Path) -> None:
    outcome = run("scenario", written(tmp_path, HOLDS.replace("EUR 350", "EUR 350 USD 7")))
    assert outcome.status == 1
    assert "USD was not expected to differ" in outcome.out


@pytest.mark.parametrize(
    "text, said",
    [
        (HOLDS.replace("deposit EUR", "despoit EUR"), "line 5: 'despoit' where a kind of movement"),
        (HOLDS.replace("350", "3,50"), "line 4: '3,50' where how much EUR was expected"),
        (HOLDS.replace("moved", "move"), "line 5: 'move' where a line ("),
        (HOLDS.replace("expect ", "# expect "), "where at least one line that begins with expect was expected"),
        (HOLDS.replace("unbooked_deposit", "magic"), "line 7: 'magic' where a cause ("),
        ("\n" + HOLDS, "line 1: the end of the line where a story"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_with_its_line(run: Run, tmp_path: Path, text: str, said: str) -> None:
    outcome = run("scenario", written(tmp_path, text))
    assert (outcome.status, outcome.out) == (2, "")
    assert said in outcome.err


def test_bytes_that_are_no_text_are_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_bytes(b"\xff\xfe\x00")
    outcome = run("scenario", str(path))
    assert outcome.status == 2
    assert "is not text in UTF-8" in outcome.err


def test_without_a_file_the_way_out_is_named(run: Run) -> None:
    assert "name at least one scenario file" in run("scenario").err


def test_json_is_one_document(run: Run, tmp_path: Path) -> None:
    document = run("scenario", written(tmp_path, FAILS), "--json").json()
    assert (document["count"], document["held"]) == (1, 0)
    (answer,) = document["scenarios"][0]["expectations"]
    assert (answer["line"], answer["held"]) == (7, False)
