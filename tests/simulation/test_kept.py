"""Worlds that were counted once are kept, and never counted again for the same program and size."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest

from gal_friday.simulation.kept import counted_once
from gal_friday.simulation.measure import Counted, summed
from gal_friday.simulation.world import Settings

SMALL = Settings(hours=1)


class Counting:
    """Counts worlds without living them, and remembers which."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def __call__(self, seeds: Sequence[int]) -> Iterable[Counted]:
        for seed in seeds:
            self.seeds.append(seed)
            yield world(seed)


def world(seed: int) -> Counted:
    return Counted(
        seed=seed, lies=("timeout",), events=10, runs=4, calls=80, verdicts={"reconciled": 4}, discrepancies=0,
        amounts=0, to_zero=0, corrected=0, notices=0, errors=[],
        false=[], missed=[], wrong=[], told_twice=[], never_told=[],
    )  # fmt: skip


def test_what_was_stopped_goes_on_and_parts_add_up(tmp_path: Path) -> None:
    path, counting = tmp_path / "worlds.jsonl", Counting()
    first = counted_once(path, range(3), SMALL, "Commit 1", counting)
    assert [next(iter(first)).seed] == [0]
    everything = sorted(counted_once(path, range(3), SMALL, "Commit 1", counting), key=lambda one: one.seed)
    assert counting.seeds == [0, 1, 2]
    assert summed(everything, SMALL) == summed([world(seed) for seed in range(3)], SMALL)


@pytest.mark.parametrize("settings, program", [(Settings(hours=2), "Commit 1"), (SMALL, "Commit 2")])
def test_worlds_of_another_size_or_program_say_nothing(tmp_path: Path, settings: Settings, program: str) -> None:
    path, counting = tmp_path / "worlds.jsonl", Counting()
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    list(counted_once(path, range(2), settings, program, counting))
    assert counting.seeds == [0, 1, 0, 1]


def test_half_a_line_of_a_run_that_was_killed_is_no_world(tmp_path: Path) -> None:
    path, counting = tmp_path / "worlds.jsonl", Counting()
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    path.write_bytes(path.read_bytes()[:-20])
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    assert counting.seeds == [0, 1, 1]
    assert [msgspec.json.decode(line)["world"]["seed"] for line in path.read_bytes().splitlines()] == [0, 1]


def test_a_last_line_that_lacks_nothing_but_its_end_is_kept(tmp_path: Path) -> None:
    path, counting = tmp_path / "worlds.jsonl", Counting()
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    before = path.read_bytes()
    path.write_bytes(before[:-1])
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    assert (counting.seeds, path.read_bytes()) == ([0, 1], before)


@pytest.mark.parametrize("written", [b"milk", b'{"milk": 1', b'milk\n{"program":'])
def test_another_file_is_left_as_it_is(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(written)
    with pytest.raises(msgspec.MsgspecError):
        list(counted_once(path, range(2), SMALL, "Commit 1", Counting()))
    assert path.read_bytes() == written


def test_what_was_counted_is_never_written_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, counting = tmp_path / "worlds.jsonl", Counting()
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    path.write_bytes(path.read_bytes()[:-20])
    monkeypatch.setattr(Path, "write_bytes", _refused)  # a run that is killed meanwhile would leave half of it
    list(counted_once(path, range(2), SMALL, "Commit 1", counting))
    assert counting.seeds == [0, 1, 1]


def _refused(*_: object) -> None:
    raise AssertionError
