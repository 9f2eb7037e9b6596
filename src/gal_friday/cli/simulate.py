"""``gal-friday simulate``: worlds from seeds, and how much of what went wrong in them was found, how fast, how rightly.

Nothing outside this process is asked, and no real time passes: the same seeds give the same numbers. The exit status
is 0 where nothing was missed, false or wrongly corrected, 1 where something was.
"""

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from gal_friday.bootstrap.clock import system_clock
from gal_friday.cli import version
from gal_friday.cli.exit_status import DISCREPANCIES, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage
from gal_friday.cli.output import out, printable, write_json
from gal_friday.simulation.many import outcomes
from gal_friday.simulation.measure import Measures, measured
from gal_friday.simulation.page import markdown
from gal_friday.simulation.world import Outcome, Settings

Hours = Annotated[float, Parameter(help="How long each world lasts, in simulated hours.")]
Accounts = Annotated[int, Parameter(help="How many accounts each world has.")]
Seeds = Annotated[int, Parameter(help="How many worlds: those of the seeds from 0 on.")]
Seed = Annotated[int | None, Parameter(help="Only the world of this seed.")]
Errors = Annotated[float, Parameter(help="The share of events that go wrong in the book, about.")]
Jobs = Annotated[int | None, Parameter(help="How many processes; as many as there are processors by default.")]
About = Annotated[str, Parameter(help="What the page is to say of the program, such as its commit.")]
ReportFile = Annotated[Path | None, Parameter(help="Write the numbers here: .json, or a page (.md).")]


def simulate(
    *, hours: Hours = 24.0, accounts: Accounts = 1, seeds: Seeds = 10, seed: Seed = None, errors: Errors = 0.01,
    jobs: Jobs = None, about: About = "", report: ReportFile = None, as_json: AsJson = False,
) -> int:  # fmt: skip
    """Let worlds live in which much goes wrong, and measure what is made of it."""
    if hours <= 0 or accounts < 1 or seeds < 1 or not 0 <= errors <= 0.1 or (jobs is not None and jobs < 1):
        raise BadUsage("hours, accounts, seeds and jobs are above zero, and errors is a share from 0 to 0.1")
    if report is not None and report.suffix not in (".json", ".md"):
        raise BadUsage(f"{report}: the numbers are written as .json or as .md; choose one of them")
    wanted = range(seeds) if seed is None else range(seed, seed + 1)
    settings = Settings(hours=hours, accounts=accounts, errors=errors)
    workers, clock = min(jobs or os.cpu_count() or 1, len(wanted)), system_clock()
    began = clock.monotonic()
    found = measured(outcomes(wanted, settings, jobs=workers, done=_told(len(wanted))))
    speed = hours * 3600 * len(wanted) / ((clock.monotonic() - began) * workers)
    said = f"{about or f'Gal-Friday {version()}'}, {_machine(workers)}: {speed:,.0f} × real time on each."
    page = markdown(found, command=_command(hours, accounts, seeds, seed, errors), about=said)
    if report is not None:
        _write(report, found, page)
    if as_json:
        write_json(found)
    else:
        out().print(printable(page), markup=False, highlight=False, soft_wrap=True)
    return RECONCILED if found.holds else DISCREPANCIES


def _told(count: int) -> Callable[[Outcome], object]:
    done = 0

    def told(one: Outcome) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} of {count} worlds, seed {one.seed}" + "\n" * (done == count))
            sys.stderr.flush()

    return told


def _machine(workers: int) -> str:
    return f"{platform.python_implementation()} {platform.python_version()}, {workers} of {os.cpu_count()} processors"


def _command(hours: float, accounts: int, seeds: int, seed: int | None, errors: float) -> str:
    which = f"--seeds {seeds}" if seed is None else f"--seed {seed}"
    return f"gal-friday simulate --hours {hours:g} --accounts {accounts} {which} --errors {errors:g}"


def _write(path: Path, found: Measures, page: str) -> None:
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode() if path.suffix == ".json" else page
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadUsage(f"{path} cannot be written: {error.strerror}; name another file with --report") from None
