"""Which tests reach which lines of the domain, and how long each takes: measured once, kept until either changes."""

import importlib
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from dev import MUTATE, ready

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "src" / "gal_friday" / "domain"
KEPT = ROOT / ".mutation" / "reach.json"
TESTS = ("tests/domain", "tests/scenarios", "tests/flows", "tests/web", "tests/cli/test_render.py")
"""Tests that are quick, and run in one process: what only others would kill survives here."""
BUDGET_SECONDS = 45.0
"""So long, as measured, is one mutant tried: by the quickest tests that reach it, and those that fit behind them."""
WORDS = "tests/domain/test_kept_words.py"
LEFT_OUT = "not slow and not postgres and not crash"


class Reach(Struct):
    """What was measured."""

    source: str = ""
    """The digest of everything that is not a file of tests."""
    files: dict[str, str] = {}
    """The digest of each file of tests."""
    seconds: dict[str, float] = {}
    """How long each test takes."""
    lines: dict[str, dict[int, list[str]]] = {}
    """By path and line: the tests that reach it."""

    def to(self, path: str, line: int, span: tuple[int, int] | None) -> list[str]:
        """Return the tests that can see a change of this line, those first that most likely and quickly do."""
        here = self.lines.get(path, {})
        exact = set(here.get(line, ()))
        around = _all(found for number, found in here.items() if span is not None and span[0] < number <= span[1])
        anywhere = set() if around else _all(here.values())
        # Outside of functions nothing runs while a test does: what stands there is known by those that import it.
        named = set() if around or exact else {WORDS, *_importing(path, self.files)}
        words = {one for one in self.seconds if one.partition("::")[0] in named}
        some = exact | around | anywhere | words
        chosen = sorted(some, key=lambda one: (one not in exact | words, self.seconds[one], one))
        taken = accumulate(self.seconds[one] for one in chosen)
        return [one for one, so_far in zip(chosen, taken, strict=True) if so_far <= BUDGET_SECONDS]

    def without(self, files: Collection[str]) -> "Reach":
        """Return what is known of the tests in other files."""

        def stays(test: str) -> bool:
            return test.partition("::")[0] not in files

        return Reach(
            source=self.source,
            files={file: digest for file, digest in self.files.items() if file not in files},
            seconds={test: took for test, took in self.seconds.items() if stays(test)},
            lines={
                path: {line: [one for one in tests if stays(one)] for line, tests in here.items()}
                for path, here in self.lines.items()
            },
        )


def _importing(path: str, files: Iterable[str]) -> Iterator[str]:
    """Yield the files of tests that import this module by its name."""
    module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    name = re.compile(rf"\b{re.escape(module)}\b")
    for file in files:
        if name.search((ROOT / file).read_text(encoding="utf-8")):
            yield file


def _all(groups: Iterable[Iterable[str]]) -> set[str]:
    return {one for group in groups for one in group}


def measured(*, keep: bool) -> Reach:
    """Return what is known, after measuring what has changed; *keep*: files of tests alone, whatever else has."""
    known = msgspec.json.decode(KEPT.read_bytes(), type=Reach) if KEPT.is_file() else Reach()
    files, source = _state()
    if not keep and known.source != source:
        known = Reach()
    changed = [file for file in files if known.files.get(file) != files[file]]
    if not changed and not set(known.files) - set(files):
        return known
    known = known.without([*changed, *(set(known.files) - set(files))])
    KEPT.parent.mkdir(exist_ok=True)
    new = _measured(changed) if changed else Reach()
    for path, here in new.lines.items():
        for line, tests in here.items():
            known.lines.setdefault(path, {}).setdefault(line, []).extend(tests)
    known = Reach(source=source, files=files, seconds=known.seconds | new.seconds, lines=known.lines)
    KEPT.write_bytes(msgspec.json.encode(known))
    return known


def _state() -> tuple[dict[str, str], str]:
    """Return the digest of each file of tests, and one of everything else that they rest on."""
    tests = {
        path for place in TESTS for path in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    }
    files = {path for path in tests if path.name.startswith("test_")}
    rest = sha256()
    for path in sorted({*(ROOT / "src").rglob("*.py"), *tests} - files):
        rest.update(path.read_bytes())
    return {
        path.relative_to(ROOT).as_posix(): sha256(path.read_bytes()).hexdigest() for path in sorted(files)
    }, rest.hexdigest()


def _measured(files: Sequence[str]) -> Reach:
    """Measure these files in a process of its own: this one must not import what is to be mutated."""
    said = KEPT.with_name("measured.json")
    subprocess.run([sys.executable, "-m", "tests.mutation.reach", str(said), *files], cwd=ROOT, check=True)
    return msgspec.json.decode(said.read_bytes(), type=Reach)


class _Timer:
    """Tells coverage which test runs, and keeps how long each took."""

    def __init__(self, coverage: Any) -> None:
        self.coverage, self.seconds = coverage, dict[str, float]()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_runtest_logfinish(self) -> None:
        self.coverage.switch_context("")


def _measure(files: Sequence[str]) -> Reach:
    """Run the tests of these files under coverage, and return what they reach."""
    # Behind everything else: its environment has a pytest of its own.
    sys.path.extend(map(str, ready(MUTATE).path.glob("lib/python*/site-packages")))
    coverage: Any = importlib.import_module("coverage")
    recorded = coverage.Coverage(
        data_file=None, config_file=False, source=[str(DOMAIN)], concurrency=["thread", "greenlet"]
    )
    timer = _Timer(recorded)
    recorded.start()
    failed = pytest.main([*files, "-q", "-m", LEFT_OUT, *WITHOUT], plugins=[timer])
    recorded.stop()
    if failed not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit("tests fail without any mutant; make them pass first")
    data = recorded.get_data()
    lines = {
        Path(path).relative_to(ROOT).as_posix(): {
            line: [name for name in names if name in timer.seconds]
            for line, names in data.contexts_by_lineno(path).items()
        }
        for path in sorted(data.measured_files())
    }
    return Reach(seconds=timer.seconds, lines=lines)


WITHOUT = ("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider")

if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(msgspec.json.encode(_measure(sys.argv[2:])))
