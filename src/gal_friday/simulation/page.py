"""The numbers as a page for people (Markdown)."""

from collections.abc import Iterable

from gal_friday.simulation.measure import Measures, Times, share


def markdown(found: Measures, *, command: str, about: str) -> str:
    """Return a page; *command* makes it again, *about* says of what program and machine the numbers are."""
    return "\n".join((*_head(found, command, about), *_totals(found), "", *_kinds(found), *_failures(found), ""))


def _head(found: Measures, command: str, about: str) -> Iterable[str]:
    size, seeds = found.settings, found.seeds
    yield "# Quality, measured"
    yield ""
    yield f"`{command}` makes this page again. {about}"
    yield ""
    yield (
        f"{len(seeds)} worlds (seeds {min(seeds)}–{max(seeds)}) of {size.hours:g} simulated hours with "
        f"{size.accounts} account{'s' * (size.accounts > 1)}: {found.events:,} events, {found.runs:,} runs, "
        f"{found.calls / max(1, found.runs):.0f} calls of the exchange per run."
    )
    yield ""


def _totals(found: Measures) -> Iterable[str]:
    named, seen = sum(one.named for one in found.kinds), sum(one.found for one in found.kinds)
    yield "| What | Measured |"
    yield "|---|---|"
    yield f"| recall: of {found.due:,} times that an error had to be in a report, it was | {_recall(found)} |"
    yield f"| false discrepancies, of {found.discrepancies:,} reported | {found.false} |"
    yield f"| wrong corrections, of {found.corrected:,} amounts and records that were corrected | {found.wrong} |"
    yield f"| named rightly, of {seen:,} errors that were found | {share(named, seen)} |"
    for what, times in (
        ("seen", found.seconds_to_suspect),
        ("confirmed", found.seconds_to_confirm),
        ("named rightly", found.seconds_to_explain),
        ("corrected", found.seconds_to_correct),
    ):
        yield f"| minutes until it was {what}: median / p95 / p99 | {_minutes(times)} |"
    yield f"| verdicts | {', '.join(f'{count:,} {name}' for name, count in found.verdicts.items())} |"


def _recall(found: Measures) -> str:
    return share(found.due - found.missed, found.due)


def _minutes(times: Times | None) -> str:
    return "–" if times is None else " / ".join(f"{each / 60:.1f}" for each in (times.median, times.p95, times.p99))


def _kinds(found: Measures) -> Iterable[str]:
    yield "| Error of the book | Cause | Planted | Found | Named rightly | Missed | Put right by |"
    yield "|---|---|---|---|---|---|---|"
    for one in found.kinds:
        by = ", ".join(f"{who} {count}" for who, count in one.by.items())
        lie = one.lie.replace("_", " ")
        yield f"| {lie} | {one.causes} | {one.planted} | {one.found} | {one.named} | {one.missed} of {one.due} | {by} |"


def _failures(found: Measures) -> Iterable[str]:
    if found.failures:
        yield ""
        yield "What went wrong; each line is repeated by its seed:"
        yield ""
        yield from (f"- {line}" for line in found.failures)
