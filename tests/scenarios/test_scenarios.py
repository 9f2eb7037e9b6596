"""Every scenario holds, and every recogniser is needed by one of them.

The scenarios beside this file are the ones that ``gal-friday scenario`` runs.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gal_friday.domain import causes
from gal_friday.domain.cause import Cause
from gal_friday.domain.scenario import Scenario, read_scenario
from gal_friday.domain.scenario_check import check
from gal_friday.domain.scenario_expect import ExpectedAmount, ExpectedRecord, ExpectedTie

FILES = sorted(Path(__file__).parent.glob("*.txt"))
TABLES = ("RECOGNISERS", "RECORD_RECOGNISERS", "REST_RECOGNISERS")
EVERY_RECOGNISER = [
    pytest.param(table, cause, id=f"{table.lower()}-{cause}") for table in TABLES for cause, _ in getattr(causes, table)
]


@cache
def scenario(path: Path) -> Scenario:
    """Return the scenario in this file."""
    return read_scenario(path.read_text(encoding="utf-8"), source=path.name)


def broken(path: Path) -> list[str]:
    """Return the expectations of this file that do not hold, with what was found."""
    return [f"{each.expected} — found: {each.found}" for each in check(scenario(path)) if not each.held]


def named(path: Path) -> set[Cause]:
    """Return the causes that this scenario expects."""
    expected = scenario(path).expectations
    amounts = {cause for each in expected if isinstance(each, ExpectedAmount) for cause in each.causes}
    return amounts | {each.cause for each in expected if isinstance(each, ExpectedRecord) and each.cause}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_what_the_scenario_expects_is_found(path: Path) -> None:
    assert broken(path) == []


def test_there_are_scenarios_enough() -> None:
    assert len(FILES) >= 60


def test_every_cause_has_a_scenario() -> None:
    assert set(Cause) - {cause for path in FILES for cause in named(path)} == set()


def test_a_tie_is_among_them() -> None:
    ties = [path for path in FILES if any(isinstance(each, ExpectedTie) for each in scenario(path).expectations)]
    assert ties != []


@pytest.mark.parametrize("table, cause", EVERY_RECOGNISER)
def test_no_recogniser_can_break_unseen(monkeypatch: pytest.MonkeyPatch, table: str, cause: Cause) -> None:
    def silent(*_: Any) -> None:
        return None

    kept = [(other, silent if other is cause else ask) for other, ask in getattr(causes, table)]
    monkeypatch.setattr(causes, table, tuple(kept))
    assert any(broken(path) for path in FILES if cause in named(path))


@pytest.mark.parametrize("table", TABLES)
def test_the_order_of_recognisers_decides_nothing(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setattr(causes, table, tuple(reversed(getattr(causes, table))))
    assert [line for path in FILES for line in broken(path)] == []
