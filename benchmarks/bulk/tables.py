"""Two tables of millions of balances: the sieve and the judge, beside the bare scan and what others would write.

How many rows a side, at the most: ROWS=100000000 python3 dev.py bench tables (10 million without; 100 million take
4 GB of disk). Each program runs in a process of its own, whose time, with its start, and whose memory are told. What is
written in SQL, Polars, pandas and DataComPy runs in an environment that is made of requirements/peers.lock, up
to 10 million rows. Each line is one of a table of Markdown.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from dev import PEERS, ready

ROWS = int(os.environ.get("ROWS", "10000000"))
MILLION, MOST = 1_000_000, 10_000_000
_HERE = Path(__file__).parent
_OTHERS = {
    "DuckDB, union and group, by hand": ("duckdb_union", MOST),
    "DuckDB, full outer join, by hand": ("duckdb_join", MOST),
    "Polars, streaming group, by hand": ("polars_streaming", MOST),
    "Polars, lazy join, by hand": ("polars_join", MOST),
    "pandas with Decimal, by hand": ("pandas_decimal", MOST),
    "DataComPy on Polars": ("datacompy_polars", MOST),
    "DataComPy on pandas": ("datacompy_pandas", MOST),
    "two dicts of Python, by hand": ("plain_dict", MILLION),
}
_LONG, _TRIES = 10, 3
"""What takes less than so many seconds is tried so often, and the best is told."""


class Used(NamedTuple):
    """What a process took."""

    seconds: float
    megabytes: float


class Line(NamedTuple):
    """A program, how many rows a side it was given, what it took, and what it got wrong."""

    what: str
    rows: int
    used: Used
    scan: Used
    wrong: tuple[int, int] | None = None
    """Keys found that do not differ, and keys that differ and were not found."""
    bar: str = ""

    def __str__(self) -> str:
        """Return a line of a table."""
        times = f"{self.used.seconds / self.scan.seconds:.1f} ×"
        wrong = "" if self.wrong is None else "{:,} / {:,}".format(*self.wrong)
        took = f"{self.used.seconds:.2f} s | {times} | {self.used.megabytes:,.0f} MB"
        return f"| {self.what} | {self.rows:,} | {took} | {wrong} | {self.bar} |"


def run() -> Iterator[object]:
    """Measure the scan, Gal-Friday, every other program, few rows, more rows, and rows that lie badly."""
    yield "| Program | rows a side | took | of the scan | memory | false / missed | bar |"
    yield "|---|---|---|---|---|---|---|"
    yield from _few()
    for rows in (MILLION, MOST, 10 * MOST):
        if rows <= ROWS:
            yield from _grown(rows)
    for shape in ("gathered", "one key"):
        yield from _shaped(shape, min(ROWS, MOST))
    for rows, every in ((MOST, 20_000), (MILLION, 500)):
        yield from _moved(min(ROWS, rows), every)


def _few() -> Iterator[Line]:
    with _planted(100, "spread") as folder:
        yield from _ours(Path(folder), 100, "spread", "0.5 s")


def _grown(rows: int) -> Iterator[Line]:
    with _planted(rows, "spread") as name:
        folder = Path(name)
        yield from _ours(folder, rows, "spread", "12 ×" if rows > MOST else "8 ×, 1,600 MB")
        scan = _scan(folder)
        yield _compared("compare --sieve exact", folder, rows, "spread", scan, "--sieve", "exact")
        if rows > MOST:
            yield _compared("compare --memory 3GB", folder, rows, "spread", scan, "--memory", "3GB", bar="3,000 MB")
        python = ready(PEERS).program("python")
        for what, (program, most) in _OTHERS.items():
            if rows <= most:
                used = _best([python, str(_HERE / "programs.py"), program, name])
                yield Line(what, rows, used, scan, _wrong(folder, rows, "spread", program, "theirs"))


def _shaped(shape: str, rows: int) -> Iterator[Line]:
    with _planted(rows, shape) as folder:
        yield from _ours(Path(folder), rows, shape, "")


def _moved(rows: int, every: int) -> Iterator[Line]:
    """Balances with their movements, of which the book lacks one of so many: false and missed are causes, too."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _module("moved", name, str(rows), str(every))
        scan = _best([sys.executable, str(_HERE / "programs.py"), "scan_moved", name])
        yield Line("the scan of the movements", rows, scan, scan)
        files = [str(folder / f"{kind}{side}.parquet") for kind in ("", "moved_") for side in ("internal", "exchange")]
        command = [sys.executable, "-m", "gal_friday", "compare", *files[:2], "--movements", *files[2:]]
        used = _best([*command, "--findings", str(folder / "found.parquet"), "--exit-zero"])
        false, missed = _module("moved", name, str(rows), str(every), "found.parquet").split()
        wrong = (int(false), int(missed))
        yield Line(f"`compare --movements`, one of {every:,} is lost", rows, used, scan, wrong)


def _ours(folder: Path, rows: int, shape: str, bar: str) -> Iterator[Line]:
    scan = _scan(folder)
    yield Line(f"the scan of the same columns ({shape})", rows, scan, scan)
    yield _compared(f"compare ({shape})", folder, rows, shape, scan, bar=bar)


def _scan(folder: Path) -> Used:
    return _best([sys.executable, str(_HERE / "programs.py"), "scan", str(folder)])


def _compared(what: str, folder: Path, rows: int, shape: str, scan: Used, *options: str, bar: str = "") -> Line:
    files = [str(folder / f"{side}.parquet") for side in ("internal", "exchange")]
    found = ["--findings", str(folder / "found.parquet"), "--exit-zero"]
    used = _best([sys.executable, "-m", "gal_friday", "compare", *files, *found, *options])
    return Line(f"`{what}`", rows, used, scan, _wrong(folder, rows, shape, "found", "ours"), bar)


def _planted(rows: int, shape: str) -> "TemporaryDirectory[str]":
    folder = TemporaryDirectory()
    _planting(folder.name, str(rows), shape)
    return folder


def _wrong(folder: Path, rows: int, shape: str, program: str, whose: str) -> tuple[int, int]:
    false, missed = _planting(str(folder), str(rows), shape, f"{program}.parquet", whose).split()
    return int(false), int(missed)


def _planting(*arguments: str) -> str:
    return _module("planted", *arguments)


def _module(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.bulk.{name}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _best(command: list[str]) -> Used:
    """Run a program, several times where it is quick."""
    tried = [_used(command)]
    while tried[0].seconds < _LONG and len(tried) < _TRIES:
        tried.append(_used(command))
    return min(tried)


def _used(command: list[str]) -> Used:
    """Run a program to its end, and raise where it fails."""
    began = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    # Not that of all children so far, of which the largest would be told.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):  # 3: rows that could not be judged, which one shape has
        raise subprocess.CalledProcessError(process.returncode, command)
    return Used(seconds, usage.ru_maxrss / 1024)
