"""Everything that reads what others wrote, under the name by which it is fuzzed: bytes in, nothing out.

A target raises where its parser raises anything but the error that it states, and where what was read is not what it
has to be. Its good examples lie in ``corpus/NAME``, what was found once and mended in ``found/NAME``.
"""

from collections.abc import Callable
from pathlib import Path

from tests.fuzz import calls, files, kraken

HERE = Path(__file__).parent
TARGETS: dict[str, Callable[[bytes], None]] = {**files.TARGETS, **kraken.TARGETS, **calls.TARGETS}


def examples(name: str) -> list[Path]:
    """Return the good examples of a target."""
    return sorted((HERE / "corpus" / name).iterdir())


def found(name: str) -> list[Path]:
    """Return what was found once."""
    folder = HERE / "found" / name
    return sorted(folder.iterdir()) if folder.is_dir() else []
