"""Judged in several processes, accounts come to the same as in one; what went wrong there is told here."""

import csv
import os
from functools import partial
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from gal_friday.bulk import processes
from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.errors import EngineFailed
from gal_friday.bulk.judge import Judged, Sieved, judged
from gal_friday.bulk.lines import COLUMNS as WRITTEN
from gal_friday.bulk.lines import Lines, lines_of
from gal_friday.bulk.processes import Elsewhere, Portion, portions, whole_accounts
from gal_friday.bulk.rows import Rejected, Row
from gal_friday.bulk.source import source_of
from gal_friday.bulk.weighed import Weighed
from gal_friday.flows.reconcile_many import Outcome, reconcile_many
from tests.bulk.worlds import LAYOUTS, PAIRS, TERMS, Line, planted, written

_BAD: tuple[Line, ...] = (
    ("acct-3", "A0", "spot", "much"),
    ("", "A0", "spot", "1"),
    ("acct-4", "A1", "spot", "NaN"),
    ("zz", "WEI", "spot", "123456789012345678901234567890"),
)


class Found(Struct):
    """What was handed over."""

    outcome: Outcome
    weighed: Weighed
    rejected: list[Rejected]
    lines: str
    portions: int


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "FEW", 5)
    monkeypatch.setattr(processes, "_AT_ONCE", 40)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    sides, _ = planted()
    for side, some in sides.items():
        written(tmp_path / f"{side}.csv", [*some, *PAIRS[side], *_BAD[: None if side == "internal" else 1]])
    return tmp_path


def compared(folder: Path, jobs: int) -> Found:
    sources = {side: source_of(str(folder / f"{side}.csv")) for side in LAYOUTS}
    target = folder / f"found-{jobs}.csv"
    rejected, weighed, taken = list[Rejected](), Weighed(), list[Portion]()
    with (
        Duck(sources, LAYOUTS, names={}, exact=False, limits=Limits()) as engine,
        Lines(target, WRITTEN) as lines,
    ):

        def hear(one: Judged) -> None:
            weighed.hear(one)
            lines.write(lines_of(one))

        def take(portion: Portion) -> None:
            taken.append(portion)
            weighed.join(portion.weighed)
            lines.append(portion.text)

        elsewhere = Elsewhere(jobs, lines.form, take)
        outcome = reconcile_many(engine, TERMS, hear, rejected.append, digests=True, elsewhere=elsewhere)
    return Found(outcome, weighed, rejected, target.read_text(encoding="utf-8"), len(taken))


@pytest.mark.usefixtures("_small")
def test_several_processes_say_what_one_says(world: Path) -> None:
    one, several = compared(world, 1), compared(world, 3)
    assert (one.portions, several.portions > 3) == (0, True)
    assert one.outcome == several.outcome
    assert one.lines == several.lines
    assert one.rejected == several.rejected
    assert len(one.rejected) == len(_BAD)
    for told in ("largest", "accounts", "types", "causes"):
        assert list(getattr(one.weighed, told)()) == list(getattr(several.weighed, told)())
    assert len(list(csv.reader(one.lines.splitlines()))) > one.outcome.discrepancies > 500


def test_few_rows_are_judged_here(world: Path) -> None:
    assert compared(world, 3).portions == 0


def row(account: str) -> Row:
    return Row(account, "BTC", "spot", "internal", "1", None, "", fits=True)


def test_no_account_is_divided() -> None:
    rows = [row(f"a{number // 3}") for number in range(20)]
    some = list(whole_accounts(rows, 5))
    assert [one for portion in some for one in portion] == rows
    assert [len(portion) for portion in some] == [6, 6, 6, 2]
    ended = [portion[-1].account for portion in some]
    assert len(set(ended)) == len(ended)
    assert list(whole_accounts([], 5)) == []


class _Deadly:
    """Ends the process that takes it, as the system ends one that takes too much memory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


DEADLY: Any = partial(judged, _Deadly())  # type: ignore[arg-type]
WRONG: Any = getitem


@pytest.mark.usefixtures("_small")
def test_a_process_that_is_ended_takes_no_account_with_it_unseen() -> None:
    every = [row(f"a{number}") for number in range(100)]
    told = portions(Sieved(every, DEADLY), TERMS, Elsewhere(2, None, lambda _: None))
    assert not isinstance(told, Sieved)
    with pytest.raises(EngineFailed, match=r"a process that judged accounts was ended.*--jobs 1"):
        list(told)


@pytest.mark.usefixtures("_small")
def test_what_goes_wrong_there_is_told_here() -> None:
    every = [row(f"a{number}") for number in range(100)]
    told = portions(Sieved(every, WRONG), TERMS, Elsewhere(2, None, lambda _: None))
    assert not isinstance(told, Sieved)
    with pytest.raises(TypeError, match="indices"):
        list(told)
