"""``gal-friday demo``: see it work, on nothing but this machine.

The demo knows what went wrong in its bot's book, so it checks itself: it exits with 0 if the report shows
exactly that and nothing else, and with 4 otherwise. ``run`` on a real account exits with 1 for the same report.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gal_friday.bootstrap.demo import VISITOR, Demo, running_demo, serve_demo
from gal_friday.bootstrap.demo_book import Accident
from gal_friday.bootstrap.demo_check import missing_and_unexpected, not_repaired, wrongly_explained
from gal_friday.bootstrap.logs import logging_to
from gal_friday.cli.exit_status import FAILED, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage
from gal_friday.cli.output import out, say, write, write_json
from gal_friday.cli.render import print_report, report_json
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport

DemoMode = Annotated[
    Literal["observe", "propose", "enforce"],
    Parameter(name="--mode", help="enforce: repair the book as far as the policy allows, and reconcile once more."),
]
Once = Annotated[bool, Parameter(help="Print the report and stop. This is what happens without a terminal too.")]
Serve = Annotated[
    bool | None,
    Parameter(
        help="Serve the dashboard and the API until Ctrl-C. This is what happens on a terminal without --once too."
    ),
]


def demo(*, once: Once = False, serve: Serve = None, mode: DemoMode = "observe", as_json: AsJson = False) -> int:
    """Start a simulated Kraken, write the book of a bot that had ten accidents, and reconcile over real HTTP.

    With --mode enforce the book is repaired, and reconciled once more. Exits with 0 if the report shows exactly these
    accidents, and everything that was repaired is then seen to agree.
    """
    if once and serve:
        raise BadUsage("--once stops after the report and --serve goes on; choose one")
    unasked = serve is None and not once and not as_json
    if serve is None:
        serve = unasked and sys.stdout.isatty()
    with open(os.devnull, "w", encoding="utf-8") as nowhere, logging_to(nowhere):  # pages have what would be logged
        status = asyncio.run(_demo(Mode(mode), serve=serve, as_json=as_json))
    if unasked and not serve:
        say("Without a terminal the demo ends here; with --serve it goes on, and shows this in a dashboard.")
    return status


async def _demo(mode: Mode, *, serve: bool, as_json: bool) -> int:
    say("A bot traded on a simulated Kraken for a day. Its book and the exchange are compared now.")
    async with running_demo() as running:
        report = await running.service.run_reconciliation(mode=mode)
        missing, unexpected = missing_and_unexpected(report, running.accidents)
        broken = [*missing, *unexpected, *wrongly_explained(report, running.accidents)]
        again = await running.service.run_reconciliation(mode=mode) if mode is Mode.ENFORCE else None
        if again is not None:
            broken += not_repaired(report, again)
        if not as_json:
            _show(report, running.accidents, complete=not broken)
        if again is not None and not as_json:
            _show_again(report, again)
        elif again is not None:
            write_json({"reports": [report, again], "count": 2})
        elif as_json:
            write(report_json(report) + b"\n")
        for line in broken:
            say(f"the demo is broken: {line}")
        if serve:
            await _serve(running)
    return FAILED if broken else RECONCILED


def _show(report: ReconciliationReport, accidents: Sequence[Accident], *, complete: bool) -> None:
    console = out()
    print_report(report, console, recorded=False)
    console.print()
    console.print("What had gone wrong in this book:")
    for accident in accidents:
        console.print(f"  · {accident.story}")
    if complete:
        console.print("Every one of them is in the report, and nothing else is.")


def _show_again(report: ReconciliationReport, again: ReconciliationReport) -> None:
    console = out()
    console.print()
    console.print("The same account once more, after the repairs:")
    console.print()
    print_report(again, console, recorded=False)
    done = len({one.adjustment_id for one in report.auto_corrections})
    console.print()
    console.print(
        f"{done} repairs were posted to the book; {report.total_discrepancies} discrepancies became "
        f"{again.total_discrepancies}, and nothing was repaired again."
    )


_TRY = {
    "run": "reconcile, and repair what the exchange's records prove; with --mode observe nothing is repaired",
    "report": "the newest report once more",
    "review queue": "what waits for a person, and the command that approves it",
    "token create me --scopes read,feed": "a token for the API, shown once",
    "book show": "what the book holds",
}


async def _serve(running: Demo) -> None:
    stop = _ended()  # before the first hint: whoever has read it may end the demo
    await serve_demo(running, stop, lambda link, password: _hint(running, link, password))


def _hint(running: Demo, link: str, password: str) -> None:
    program, configuration = _program(), shlex.quote(str(running.configuration))
    if link:
        say(f"The dashboard is up until Ctrl-C. This link signs you in, once:\n\n    {link}\n")
        say("Approving asks for a password ten minutes later, and so does signing in again:\n")
        say(f"    {VISITOR}  {password}\n")
    else:
        say("The dashboard needs the extra server: pip install 'gal-friday[server]'.")
    say(f"The simulated Kraken stays up at {running.url} until Ctrl-C. Try, in another terminal:")
    for command, does in _TRY.items():
        say(f"  {program} {command} --config {configuration}")
        say(f"      ({does})")


def _program() -> str:
    """Return how to call this program in another terminal: by its name where that is found, else by its place."""
    if shutil.which("gal-friday"):
        return "gal-friday"
    beside = Path(sys.executable).with_name("gal-friday")
    return shlex.quote(str(beside)) if beside.is_file() else f"{shlex.quote(sys.executable)} -m gal_friday"


def _ended() -> asyncio.Event:
    """Return what is set by the signal of ``kill``, so that the demo's folder goes then too; Ctrl-C raises."""
    stop = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows has no such handlers
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop
