"""There is a browser, or the tests fail: they are left out only where somebody asks for that."""

import os
import subprocess
import sys
from pathlib import Path

from tests.browser.chromium import NAMED, WITHOUT

ROOT = Path(__file__).parents[2]
TEST = "tests/browser/test_dashboard.py::test_a_session_that_is_over_leads_to_the_door_and_back"
PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", TEST)


def outcome(*module: str, **environment: str) -> tuple[int, str]:
    """Return how a module ends in this environment, and everything that it says."""
    kept = {name: value for name, value in os.environ.items() if name not in (NAMED, WITHOUT)}
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=kept | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_without_a_browser_its_tests_fail_and_say_what_to_do() -> None:
    status, said = outcome(*PYTEST, **{NAMED: "nowhere"})
    assert status == 1
    assert "1 error" in said
    assert "E2E_CHROMIUM names nowhere, which is no program" in said


def test_a_browser_that_somebody_names_is_not_replaced_by_another_one() -> None:
    status, said = outcome("tests.browser.provision", **{NAMED: "nowhere"})
    assert (status, said) == (1, "E2E_CHROMIUM names nowhere, which is no program.\n")


def test_they_are_left_out_only_where_that_is_asked_for_and_say_so() -> None:
    assert outcome("tests.browser.provision", **{WITHOUT: "1"}) == (0, "")
    status, said = outcome(*PYTEST, **{WITHOUT: "1"})
    assert status == 0
    assert "TEST_WITHOUT_BROWSER is set: nothing was tested in a browser" in said
