"""``gal-friday simulate``: worlds from seeds, and how much of what went wrong in them was found, how fast, how rightly.

Nothing outside this process is asked, and no real time passes: the same seeds give the same numbers. The exit status
is 0 where nothing was missed, false, wrongly corrected, or told twice or never, 1 where something was.
"""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from gal_friday.bootstrap.clock import system_clock
from gal_friday.cli import version
from gal_friday.cli.exit_status import DISCREPANCIES, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage
from gal_friday.cli.output import out, printable, write_json
from gal_friday.simulation.kept import counted_once
from gal_friday.simulation.many import counts
from gal_friday.simulation.measure import Counted, Measures, summed
from gal_friday.simulation.page import html, markdown
from gal_friday.simulation.world import Settings

Hours = Annotated[float, Parameter(help="How long each world lasts, in simulated hours.")]
Accounts = Annotated[int, Parameter(help="How many accounts each world has.")]
Seeds = Annotated[
    str,
    Parameter(help="Which worlds: so many from seed 0 on, or from A up to but not including B (A:B,C:D for several)."),
]
Seed = Annotated[int | None, Parameter(help="Only the world of this seed.")]
Errors = Annotated[float, Parameter(help="The share of the events that can go wrong in one way that do, about.")]
Baselines = Annotated[
    bool, Parameter(negative=(), help="Let simpler ways to reconcile live in the same worlds, and show them beside.")
]
Jobs = Annotated[int | None, Parameter(help="How many processes; as many as there are processors by default.")]
About = Annotated[str, Parameter(help="What the page is to say of the program, such as its commit.")]
Worlds = Annotated[
    Path | None, Parameter(help="Keep every world that was counted in this file, and count none again that it has.")
]
ReportFiles = Annotated[
    list[Path] | None,
    Parameter(name="--report", help="Write the numbers here: .json, or a page (.md, .html); several."),
]

_HOURS_MAX = 1_000_000
"""Far more than anybody can wait for, and far less than there are dates for."""


def simulate(
    *, hours: Hours = 24.0, accounts: Accounts = 1, seeds: Seeds = "10", seed: Seed = None, errors: Errors = 0.01,
    baselines: Baselines = False, jobs: Jobs = None, about: About = "", worlds: Worlds = None,
    reports: ReportFiles = None, as_json: AsJson = False,
) -> int:  # fmt: skip
    """Let worlds live in which much goes wrong, and measure what is made of it."""
    if not 0 < hours <= _HOURS_MAX or accounts < 1 or not 0 <= errors <= 0.1 or (jobs is not None and jobs < 1):
        raise BadUsage(
            "hours, accounts and jobs are above zero, hours up to a million, and errors is a share from 0 to 0.1"
        )
    for path in reports or ():
        if path.suffix not in (".json", ".md", ".html"):
            raise BadUsage(f"{path}: the numbers are written as .json, .md or .html; choose one of them")
    wanted = _wanted(seeds) if seed is None else range(seed, seed + 1)
    settings = Settings(hours=hours, accounts=accounts, errors=errors, baselines=baselines)
    workers, program = min(jobs or os.cpu_count() or 1, len(wanted)), about or f"Gal-Friday {version()}"
    found, speed = _found(wanted, settings, workers, program, worlds)
    which = (f"--seeds {seeds}" if seed is None else f"--seed {seed}") + " --baselines" * baselines
    command = f"gal-friday simulate --hours {hours:g} --accounts {accounts} {which} --errors {errors:g}"
    said = f"{program}, {_machine(workers)}{speed}."
    for path in reports or ():
        _write(path, found, command, said)
    if as_json:
        write_json(found)
    else:
        page = markdown(found, command=command, about=said)
        out().print(printable(page), markup=False, highlight=False, soft_wrap=True)
    return RECONCILED if found.holds else DISCREPANCIES


def _wanted(seeds: str) -> Sequence[int]:
    try:
        parts = [_range(part) for part in seeds.split(",")]
    except ValueError:
        parts = [range(0)]
    wanted = sorted({seed for part in parts for seed in part})
    if not all(parts) or len(wanted) != sum(map(len, parts)):
        raise BadUsage(
            f"{seeds!r} names no seeds, or some of them twice; write how many (100), or from where to where (100:200)"
        )
    return wanted


def _range(part: str) -> range:
    first, colon, end = part.partition(":")
    return range(int(first), int(end)) if colon else range(int(first))


def _found(
    wanted: Sequence[int], settings: Settings, workers: int, program: str, path: Path | None
) -> tuple[Measures, str]:
    """Return the numbers, and how fast those worlds were that were not known already."""
    clock, lived = system_clock(), 0
    began = clock.monotonic()

    def count(seeds: Iterable[int]) -> Iterable[Counted]:
        nonlocal lived
        for world in counts([*seeds], settings, jobs=workers):
            lived += 1
            yield world

    try:
        found = sorted(
            _told(counted_once(path, wanted, settings, program, count), len(wanted)), key=lambda one: one.seed
        )
    except (OSError, msgspec.MsgspecError) as error:
        raise BadUsage(f"{path} cannot be used to keep worlds: {error}; name another file with --worlds") from None
    speed = lived * settings.hours * 3600 / ((clock.monotonic() - began) * workers)
    return summed(found, settings), f": {speed:,.0f} × real time on each" if lived else ""


def _told(worlds: Iterable[Counted], count: int) -> Iterable[Counted]:
    for done, one in enumerate(worlds, start=1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} of {count} worlds, seed {one.seed}" + "\n" * (done == count))
            sys.stderr.flush()
        yield one


def _machine(workers: int) -> str:
    kind = f"{platform.system()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} on {kind}, {workers} of {os.cpu_count()} processors"


def _write(path: Path, found: Measures, command: str, about: str) -> None:
    match path.suffix:
        case ".json":
            text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
        case ".html":
            text = html(found, command=command, about=about)
        case _:
            text = markdown(found, command=command, about=about)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadUsage(f"{path} cannot be written: {error.strerror}; name another file with --report") from None
