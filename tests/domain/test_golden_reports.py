"""What a report says, and what could be posted, to the last word. GAL_FRIDAY_GOLDEN=write writes what is said now.

Programs read reports, and repairs come from them: whatever changes here is seen elsewhere.
"""

import json
import os
from pathlib import Path

import pytest

from gal_friday.domain.decision import Used, decide
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import compare
from gal_friday.domain.scenario import read_scenario

GOLDEN, SCENARIOS = Path(__file__).with_name("golden"), Path(__file__).parents[1] / "scenarios"
NAMES = (
    "a_day_with_four_faults",
    "duplicated_fill_same_id",
    "incomplete_ledger",
    "missed_cancel",
    "phantom_fill_on_margin",
    "two_deposits_of_one_size",
)


def said(name: str) -> str:
    """Return report, candidates and decisions as JSON."""
    scenario = read_scenario((SCENARIOS / f"{name}.txt").read_text(encoding="utf-8"))
    report = compare(scenario.internal, scenario.exchange, prices=scenario.prices)
    candidates = candidates_of(report, scenario.internal, scenario.exchange, {})
    used = Used(0, ZERO, 0, ZERO)
    decided = decide(candidates, mode=Mode.ENFORCE, policy=Policy(), used=used, breakers=())
    parts = {"report": plain(report), "decided": [plain(one) for one in decided]}
    return json.dumps(parts, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_report_says_what_it_said(name: str) -> None:
    golden = GOLDEN / f"{name}.json"
    if os.environ.get("GAL_FRIDAY_GOLDEN") == "write":
        golden.write_text(said(name), encoding="utf-8")
    assert said(name) == golden.read_text(encoding="utf-8")
