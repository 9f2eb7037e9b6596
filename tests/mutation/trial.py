"""One mutant against the tests that reach it, in a process of its own that begins where everything else is loaded.

No file is changed: the mutated source takes the place of the module as it is imported.
"""

import importlib.util
import os
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Literal

import pytest

from tests.mutation.reach import ROOT, WITHOUT

Outcome = Literal["killed", "survived", "hung", "unreached"]
CPU_SECONDS_MAX = 120
"""Hypothesis tries again what has failed, and then no time limit of a test ends it any more."""
BYTES_MAX = 8 * 1024**3
ONE_TEST_MAX = 20
FIRST = 25
_NONE_RAN, _BROKE_OFF = 5, 70


class Swapped(MetaPathFinder):
    """Finds one module with another source."""

    def __init__(self, path: Path, source: str) -> None:
        self._path, self._source = path, source
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        self._name = ".".join(parts).removesuffix(".__init__")

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the mutated module; others are found as ever."""
        if fullname != self._name:
            return None
        loader = _Mutated(fullname, str(self._path), self._source)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


class _Mutated(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, _fullname: str) -> CodeType:
        code: Any = compile(self._source, self.path, "exec", dont_inherit=True)
        return code  # type: ignore[no-any-return]


def outcome_of(path: Path, source: str, tests: Sequence[str], said: Path) -> Outcome:
    """Return what becomes of this mutant; what its tests say is written to *said*."""
    if not tests:
        return "unreached"
    # Most mutants die at the first tests, and files of tests that are not needed are not even loaded.
    first = _outcome(path, source, tests[:FIRST], said)
    return first if first != "survived" or not tests[FIRST:] else _outcome(path, source, tests[FIRST:], said)


def _outcome(path: Path, source: str, tests: Sequence[str], said: Path) -> Outcome:
    child = os.fork()
    if child == 0:
        os._exit(_tried(path, source, tests, said))
    return _meant(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _meant(status: int) -> Outcome:
    if status == _BROKE_OFF:
        raise RuntimeError("a trial broke off; what it said is in .mutation/said-*")
    # A module that cannot even be imported is dead as well.
    return {0: "survived", _NONE_RAN: "unreached", -signal.SIGXCPU: "hung"}.get(status, "killed")  # type: ignore[return-value]


def _tried(path: Path, source: str, tests: Sequence[str], said: Path) -> int:
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX + 5))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES_MAX, BYTES_MAX))
        with said.open("wb") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        sys.meta_path.insert(0, Swapped(path, source))
        return int(pytest.main([*tests, "-x", "-q", f"--timeout={ONE_TEST_MAX}", *WITHOUT]))
    except BaseException:  # noqa: BLE001 - whatever happens, it must not come back into the parent's code
        traceback.print_exc()
        return _BROKE_OFF
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
