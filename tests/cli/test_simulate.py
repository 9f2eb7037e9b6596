"""`gal-friday simulate`: which worlds, what it writes, and what it refuses."""

from pathlib import Path

import msgspec
import pytest

from gal_friday.cli.exit_status import WRONG_USAGE
from tests.cli.conftest import Run

SHORT = ("simulate", "--hours", "0.3", "--jobs", "1")


def test_worlds_are_counted_and_shown_in_every_form(run: Run, tmp_path: Path) -> None:
    names = [tmp_path / f"quality{suffix}" for suffix in (".md", ".json", ".html")]
    worlds = tmp_path / "worlds.jsonl"
    reports = [text for name in names for text in ("--report", str(name))]
    shown = run(*SHORT, "--seeds", "3:5,9:10", "--worlds", str(worlds), *reports)
    page, numbers, html = (name.read_text() for name in names)
    assert msgspec.json.decode(numbers)["seeds"] == [3, 4, 9]
    assert "simulate --hours 0.3 --accounts 1 --seeds 3:5,9:10" in page
    assert "3 worlds (seeds 3–4, 9) of 0.3 simulated hours with 1 account: " in page
    assert "recall: of " in shown.out
    assert html.count("<svg") == 2
    assert len(worlds.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        ("--seeds", "5:3"),
        ("--seeds", "some"),
        ("--seeds", "1,"),
        ("--seeds", "0:2,1:3"),
        ("--seeds", "3,5:5"),
        ("--hours", "0"),
        ("--hours", "nan"),
        ("--hours", "1e400"),
        ("--hours", "1000001"),
        ("--report", "numbers.txt"),
        ("--errors", "2"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, wrong: tuple[str, str]) -> None:
    assert run(*SHORT, *wrong).status == WRONG_USAGE


def test_a_file_that_holds_no_worlds_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("milk\n")
    refused = run(*SHORT, "--seeds", "1", "--worlds", str(other))
    assert refused.status == WRONG_USAGE
    assert "notes.txt" in refused.err
