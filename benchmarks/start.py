"""Starting: the smallest commands, and the demo up to its report."""

import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measured import Measured, best


def run() -> Iterator[Measured]:
    """Measure whole processes, the interpreter's own start included."""
    yield Measured("python -c pass, for comparison", _seconds("-c", "pass"), "s")
    yield Measured("gal-friday --version", _seconds("-m", "gal_friday", "--version"), "s", "0.15")
    yield Measured("gal-friday --help", _seconds("-m", "gal_friday", "--help"), "s", "0.4")
    yield Measured(
        "gal-friday demo --once, to the end", _seconds("-m", "gal_friday", "demo", "--once", rounds=3), "s", "20"
    )


def _seconds(*arguments: str, rounds: int = 10) -> float:
    # As an installed program runs: with its bytecode kept.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    return best(
        lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment),
        rounds=rounds,
    )
