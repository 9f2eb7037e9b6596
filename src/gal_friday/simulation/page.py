"""The numbers as a page for people: Markdown, or HTML with plots that are drawn here and need no script."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape

from msgspec import Struct

from gal_friday.simulation.measure import Measures, Times, share
from gal_friday.simulation.plots import bars, curves

_OF_KINDS = ("Error of the book", "Cause", "Planted", "Found", "Named rightly", "Missed", "Corrected, minutes", "By")
_BESIDE = ("", "Errors found", "Recall", "False", "Corrected", "Wrongly", "Minutes to find", "Balances off at the end")
_OF_LIES = ("What went wrong beside them", "Worlds", "Looks", "Failures in these worlds")


_ON_FINDING = (
    "Some errors the bot puts right itself, or a backup undoes, before anybody looks: nobody finds all that were "
    "planted. Recall counts the times that somebody looked while an error was there that was older than the grace, the "
    "time that every record is given to reach both sides."
)
_ON_KINDS = "Errors that were gone before the first run after them are not among these."


class _Table(Struct, frozen=True):
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def markdown(found: Measures, *, command: str, about: str) -> str:
    """Return a page; *command* makes it again, *about* says of what program and machine the numbers are."""
    lines = ["# Quality, measured", "", _made("`{}`".format, command, about), "", _size(found), ""]
    for table in _tables(found):
        lines += [f"## {table.title}", "", _row(table.heads), _row(["---"] * len(table.heads))]
        lines += [*map(_row, table.rows), "", *([table.note, ""] if table.note else [])]
    lines += [*_failures(found, "- {}"), ""]
    return "\n".join(lines)


def html(found: Measures, *, command: str, about: str) -> str:
    """Return the same page as HTML, with plots."""
    made = _made("<code>{}</code>".format, escape(command), escape(about))
    parts = [f"<p>{made}</p><p>{escape(_size(found))}</p>"]
    totals, *others = _tables(found)
    parts += [_as_html(totals), "<h2>How long it took</h2>", curves(_times(found)), "<h2>Who put it right</h2>"]
    parts += [bars(_by_whom(found)), *map(_as_html, others)]
    failures = [*_failures(found, "{}")]
    parts += ["<ul>", *(f"<li>{escape(one)}</li>" for one in failures[1:]), "</ul>"] if failures else []
    return f"{_HEAD}{''.join(parts)}\n</body>\n</html>\n"


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quality, measured</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; border-bottom: 1px solid #8884; vertical-align: top; }
svg { max-width: 100%; height: auto; }
</style>
</head>
<body>
<h1>Quality, measured</h1>
"""


def _made(code: Callable[[str], str], command: str, about: str) -> str:
    again = f"{code('--seed N')} in place of {code('--seeds')} lives one world again"
    return f"{code(command)} makes this page again, and {again}. {about}"


def _size(found: Measures) -> str:
    size, seeds = found.settings, found.seeds
    return (
        f"{len(seeds):,} worlds (seeds {min(seeds)}–{max(seeds)}) of {size.hours:g} simulated hours with "
        f"{size.accounts} account{'s' * (size.accounts > 1)}: {found.events:,} events, {found.runs:,} runs, "
        f"{found.calls / max(1, found.runs):.0f} calls of the exchange per run."
    )


def _tables(found: Measures) -> Iterable[_Table]:
    yield _Table("All together", ("What", "Measured"), [*_totals(found)])
    if found.beside:
        title = "What the difference is worth: the same worlds, reconciled in simpler ways"
        yield _Table(title, _BESIDE, [*_beside(found)], _ON_FINDING)
    yield _Table("Errors of the book, one by one", _OF_KINDS, [*_kinds(found)], _ON_KINDS)
    lies = [(one.name.replace("_", " "), f"{one.worlds}", f"{one.due:,}", f"{one.failures}") for one in found.lies]
    yield _Table("Lies of the exchange, and troubles around the service", _OF_LIES, lies)


def _totals(found: Measures) -> Iterable[tuple[str, str]]:
    named, seen = sum(one.named for one in found.kinds), sum(one.found for one in found.kinds)
    recall = share(found.due - found.missed, found.due)
    yield f"recall: of {found.due:,} times that an error had to be in a report, it was", recall
    yield f"false discrepancies, of {found.discrepancies:,} reported", f"{found.false}"
    yield f"wrong corrections, of {found.corrected:,} amounts and records that were corrected", f"{found.wrong}"
    yield f"named rightly, of {seen:,} errors that were found", share(named, seen)
    yield (
        f"named rightly, of {found.proven:,} of which the exchange has records",
        share(found.proven_named, found.proven),
    )
    yield (
        f"explained to the last digit, of {found.amounts:,} amounts that differed",
        share(found.to_zero, found.amounts),
    )
    yield f"corrected without a person, of {found.small:,} small ones", share(found.small_alone, found.small)
    free, alone = found.small - found.limited, found.small_alone - found.limited_alone
    yield f"the same of the {free:,} of them that no limit of the policy keeps for a person", share(alone, free)
    for what, times in _times(found).items():
        yield f"minutes until it was {what}: median / p95 / p99", _minutes(times)
    yield f"alerts told twice or out of order, of {found.notices:,} messages", f"{found.told_twice}"
    yield "alerts never told, or never over", f"{found.never_told}"
    complete = sum(count for name, count in found.verdicts.items() if name != "incomplete")
    yield f"everything was checked, of {found.runs:,} runs", share(complete, found.runs)
    yield "verdicts", ", ".join(f"{count:,} {name}" for name, count in found.verdicts.items())


def _beside(found: Measures) -> Iterable[Sequence[str]]:
    for one in found.beside:
        off = f"{one.off} (≈ {one.off_value:,.0f} USD)" if one.off else "0"
        minutes = "–" if one.median_seconds is None else f"{one.median_seconds / 60:.1f}"
        errors, recall = f"{one.found:,} of {one.planted:,}", share(one.due - one.missed, one.due)
        false, corrected, wrong = f"{one.false:,} of {one.shown:,}", f"{one.corrected:,}", f"{one.wrong:,}"
        yield one.name, errors, recall, false, corrected, wrong, minutes, off


def _times(found: Measures) -> dict[str, Times | None]:
    return {
        "seen": found.seconds_to_suspect,
        "confirmed": found.seconds_to_confirm,
        "named rightly": found.seconds_to_explain,
        "corrected": found.seconds_to_correct,
    }


def _by_whom(found: Measures) -> dict[str, Counter[str]]:
    whole: dict[str, Counter[str]] = {}
    for one in found.kinds:
        whole.setdefault(one.lie, Counter()).update(one.by)
    return whole


def _minutes(times: Times | None) -> str:
    return "–" if times is None else " / ".join(f"{each / 60:.1f}" for each in (times.median, times.p95, times.p99))


def _kinds(found: Measures) -> Iterable[Sequence[str]]:
    for one in found.kinds:
        by = ", ".join(f"{who} {count}" for who, count in one.by.items())
        counts = (f"{each}" for each in (one.planted, one.found, one.named))
        missed = f"{one.missed} of {one.due}"
        yield one.lie.replace("_", " "), one.causes, *counts, missed, _minutes(one.seconds_to_correct), by


def _failures(found: Measures, line: str) -> Iterable[str]:
    if found.failures:
        yield "What went wrong; each line is repeated by its seed:\n"
        yield from (line.format(one) for one in found.failures)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _as_html(table: _Table) -> str:
    heads = "".join(f"<th>{escape(one)}</th>" for one in table.heads)
    rows = ("".join(f"<td>{escape(one)}</td>" for one in row) for row in table.rows)
    body, note = "".join(f"<tr>{row}</tr>" for row in rows), f"<p>{escape(table.note)}</p>" if table.note else ""
    return f"<h2>{escape(table.title)}</h2><table><tr>{heads}</tr>{body}</table>{note}"
