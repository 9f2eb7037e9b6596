"""The report on a terminal: the verdict first, then what was seen and not seen, what differs, what next.

Green means reconciled and nothing else. Amounts are exact; only values in the reporting currency are rounded,
and marked so. The same report gives the same text at the same width, with and without colour.
"""

import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from gal_friday.cli.events import events_of
from gal_friday.cli.mended import later_of, repaired_of, waiting_of
from gal_friday.cli.next_steps import next_steps
from gal_friday.cli.output import printable
from gal_friday.cli.rows import Line, lines_of, rows_of
from gal_friday.cli.why import causes_of
from gal_friday.domain import words
from gal_friday.domain.finding import CannotTell, Pending
from gal_friday.domain.instants import instant
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus, Verdict

if TYPE_CHECKING:
    from rich.console import Console

EVENTS_MAX = 50  # More than a person reads; the rest is counted and can be had with --json.
KEYS_MAX = 6
WIDTH_MIN = 40

_SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}
_LABEL = 13


def report_json(report: ReconciliationReport) -> bytes:
    """Return the report as one compact JSON document, without a newline."""
    return report.to_json()


def print_report(
    report: ReconciliationReport,
    console: "Console",
    *,
    recorded: bool = True,
    kept: bool = True,
    config: Path | None = None,
) -> None:
    """Print the report for a person to read.

    *recorded* is false for a report that no database has, *kept* for one of a book that is not kept here, so that
    nothing can be approved; *config* is the configuration that the command named.
    """
    width = max(console.width, WIDTH_MIN)
    _print_headline(report, console, width)
    for line in _scope(report, width):
        console.print(line)
    _print_section(causes_of(report, width), console)
    _print_discrepancies(report, console, width, followed=recorded)
    _print_section(repaired_of(report, width), console)
    _print_section(waiting_of(report, width, recorded=recorded, kept=kept, config=config), console)
    _print_section(later_of(report, width), console)
    steps = next_steps(report, recorded=recorded, config=config)
    if steps:
        console.print("\nWhat next", style="bold")
        for command, purpose in steps:
            fits = len(command) + len(purpose) + len("    ()") <= width
            console.print(f"  {printable(command)}", end="" if fits else "\n")
            console.print(f"  ({purpose})" if fits else f"      ({purpose})", style="dim")


def _print_section(lines: Iterable[str], console: "Console") -> None:
    """Print a heading and what stands below it; nothing where there is no line."""
    for number, line in enumerate(lines):
        console.print(line if number else f"\n{line}", style=None if number else "bold")


def _print_headline(report: ReconciliationReport, console: "Console", width: int) -> None:
    verdict = words.headline(report)
    rest = printable(f"{report.account} at {report.exchange} · {instant(report.timestamp)}")
    fits = len(verdict) + len(rest) + len(" · ") <= width
    console.print(verdict, style=_style(report), end="" if fits else "\n")
    console.print(f" · {rest}" if fits else rest)


def _style(report: ReconciliationReport) -> str:
    if report.status is ReconciliationStatus.FAILED:
        return "bold red"
    match report.verdict:
        case Verdict.RECONCILED:
            return "bold green"
        case Verdict.DISCREPANCIES:
            return "bold red"
        case Verdict.INCOMPLETE:
            return "bold yellow"
        case Verdict.PENDING:
            return "bold cyan"
        case _:
            assert_never(report.verdict)


def _scope(report: ReconciliationReport, width: int) -> Iterator[str]:
    """Yield what was compared, what was not and why, what is in motion, and what else was noticed."""
    took = f" in {words.seconds(report.duration_seconds)}" if report.duration_seconds else ""
    yield from _labelled("Checked", [words.counts(report) + took], width)
    gaps = _grouped(
        (gap.reason, f"{gap.kind} ({gap.side})" if gap.side else str(gap.kind)) for gap in report.not_checked
    )
    known = {gap.reason for gap in report.not_checked}
    unknown = _grouped(
        (one.reason, str(one.key)) for one in report.findings if isinstance(one, CannotTell) and one.reason not in known
    )
    yield from _labelled("Not checked", [*gaps, *unknown], width)
    moving = _grouped((one.reason, str(one.key)) for one in report.findings if isinstance(one, Pending))
    yield from _labelled("Pending", moving, width)
    yield from _labelled("Error", [text for text in report.error_messages if text not in known], width)
    yield from _labelled("Note", list(report.notes), width)


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return each reason once, with the names it holds for."""
    groups: dict[str, list[str]] = {}
    for reason, name in pairs:
        groups.setdefault(reason, []).append(name)
    return [f"{_named(dict.fromkeys(names))}: {reason}" for reason, names in groups.items()]


def _named(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - KEYS_MAX} more" if len(every) > KEYS_MAX else ""
    return ", ".join(every[:KEYS_MAX]) + more


def _labelled(label: str, texts: list[str], width: int) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from textwrap.wrap(
            printable(text),
            width,
            initial_indent=f"{'' if number else label:<{_LABEL}}",
            subsequent_indent=" " * _LABEL,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _print_discrepancies(report: ReconciliationReport, console: "Console", width: int, *, followed: bool) -> None:
    events = events_of(report)
    if not events:
        return
    rows = rows_of(events[:EVENTS_MAX], report)
    console.print()
    for line in lines_of(rows, width, followed=followed):
        _print_line(line, console)
    if len(events) > EVENTS_MAX:
        console.print(f"… and {len(events) - EVENTS_MAX} more; --json lists them all")
    if followed and {row.state for row in rows} == {"suspected"}:
        console.print("Suspected so far: a run a few minutes later confirms what it sees again.", style="dim")


def _print_line(line: Line, console: "Console") -> None:
    if line.severity is None:
        console.print(line.text)
        return
    word = str(line.severity)
    console.print(word, style=_SEVERITY_STYLES[line.severity], end="")
    console.print(line.text.removeprefix(word))
