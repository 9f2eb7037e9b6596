"""The small bot of the examples, called by somebody who has not read it."""

import os
import subprocess
import sys

from tests.docs.pages import ROOT


def test_a_bot_that_is_told_nothing_says_how_it_is_called() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GAL_FRIDAY_")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "bot.py")], env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "GAL_FRIDAY_URL=http://127.0.0.1:8321 GAL_FRIDAY_TOKEN=gf_… python examples/bot.py main" in done.stderr
    assert "Traceback" not in done.stderr
