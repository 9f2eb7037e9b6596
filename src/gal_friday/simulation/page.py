"""The numbers as a page for people: Markdown, or HTML with plots that are drawn here and need no script."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import groupby

from msgspec import Struct

from gal_friday.domain.words import counted
from gal_friday.simulation.measure import Kind, Measures, Times, share
from gal_friday.simulation.plots import bars, curves

_OF_KINDS = ("Error of the book", "Cause", "Planted", "Found", "Named rightly", "Missed", "Corrected, minutes", "By")
_BESIDE = ("", "Errors found", "Recall", "False", "Corrected", "Wrongly", "Minutes to find", "Balances off at the end")
_OF_LIES = ("What else goes wrong", "Worlds that drew it", "Records looked for", "Failures in these worlds")


_ON_FINDING = (
    "The columns are not counted alike. Gal-Friday is judged by every record, the others by balances, positions "
    "and orders alone. It has people who approve what it proposes, and they have none. Its recall leaves out runs "
    "that call themselves incomplete, and what it merely suspects after an answer that was not true is not false; "
    "the others are judged by every list that they could read. Wrongly: of Gal-Friday as above, of the others "
    "each amount that moved away from the truth. It finds later, because it waits for the grace, and overwriting "
    "leaves fewer balances off: what would tell why is then gone. The first specification sets at once what is up "
    "to 1 % of a position or 0.1 % of a balance; a tolerance tells what is more than 0.1 % apart, and sets "
    "nothing."
)
_ON_KINDS = (
    "Some errors the bot puts right itself, or a backup undoes, before anybody looks: nobody finds all that were "
    "planted. Errors that were gone before the first run after them are not among these. Corrected: by the policy "
    "or a person; what nobody corrected has no time."
)
_ON_LIES = (
    "Each world draws what goes wrong in it, and whether and how often it then happens. Records looked for are "
    "all of those worlds, also while nothing of it happened."
)
_CALLED = {
    "slow": "database slow",
    "gone": "database gone",
    "full": "database full",
    "lost": "answers of the database lost",
    "paused": "process stands still",
    "killed": "process killed",
    "restored": "service restored from a backup",
    "channels": "channels of alerts refuse and hang",
}
_RESTORED = "restored"
"""What the book lacks, or has wrong again, because it was put back to a backup: dozens of errors at once."""


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
    again = f"with {code('--seed N')} in place of its seeds it lives one world again"
    return f"{code(f'{command} --report page.md')} makes these numbers again, and {again}. {about}"


def _size(found: Measures) -> str:
    size, seeds = found.settings, found.seeds
    worlds, accounts = counted(len(seeds), "world", "worlds"), counted(size.accounts, "account", "accounts")
    return (
        f"{worlds} (seeds {', '.join(_ranges(seeds))}) of {size.hours:g} simulated hours with {accounts}: "
        f"{found.events:,} events, {found.runs:,} runs, "
        f"{found.calls / max(1, found.runs):.0f} calls of the exchange per run."
    )


def _ranges(seeds: Sequence[int]) -> Iterable[str]:
    """Yield the seeds, those that follow one another together."""
    for _, some in groupby(enumerate(sorted(seeds)), key=lambda one: one[1] - one[0]):
        first, *others = [seed for _, seed in some]
        yield f"{first}–{others[-1]}" if others else f"{first}"


def _tables(found: Measures) -> Iterable[_Table]:
    yield _Table("All together", ("What", "Measured"), [*_totals(found)])
    if found.beside:
        title = "What the difference is worth: the same worlds, reconciled in simpler ways"
        yield _Table(title, _BESIDE, [*_beside(found)], _ON_FINDING)
    yield _Table("Errors of the book, one by one", _OF_KINDS, [*_kinds(found)], _ON_KINDS)
    lies = [
        (_CALLED.get(one.name, one.name).replace("_", " "), f"{one.worlds}", f"{one.due:,}", f"{one.failures}")
        for one in found.lies
    ]
    yield _Table("Lies of the exchange, and troubles around the service", _OF_LIES, lies, _ON_LIES)


def _totals(found: Measures) -> Iterable[tuple[str, str]]:
    recall = share(found.due - found.missed, found.due)
    yield f"recall: of {found.due:,} times that a record of an error had to be in a report, it was", recall
    others = [one for one in found.kinds if one.lie != _RESTORED]
    due, missed = sum(one.due for one in others), sum(one.missed for one in others)
    yield f"the same of the {due:,} of them that are not of a book put back to a backup", share(due - missed, due)
    yield (
        f"false discrepancies, of {found.discrepancies:,} lines of reports; what stays is told in each",
        f"{found.false}",
    )
    yield f"wrong corrections; the policy posted {found.corrected:,}", f"{found.wrong}"
    yield from _named(found, others)
    yield (
        f"explained to the last digit, of {found.amounts:,} confirmed lines about balances and positions",
        share(found.to_zero, found.amounts),
    )
    yield from _put_right(found)
    for what, times in _times(found).items():
        yield f"minutes until it was {what}: median / p95 / p99", _minutes(times)
    yield f"alerts told twice or out of order, of {found.notices:,} messages", f"{found.told_twice}"
    yield "alerts not told within 20 minutes, or never over", f"{found.never_told}"
    complete = sum(count for name, count in found.verdicts.items() if name != "incomplete")
    yield f"everything was checked, of {found.runs:,} runs", share(complete, found.runs)
    yield "verdicts", ", ".join(f"{count:,} {name}" for name, count in found.verdicts.items())


def _named(found: Measures, others: Sequence[Kind]) -> Iterable[tuple[str, str]]:
    def of(some: Sequence[Kind]) -> tuple[int, int]:
        return sum(one.named for one in some), sum(one.found for one in some)

    named, seen = of(found.kinds)
    yield f"named rightly, of {seen:,} errors that were found", share(named, seen)
    yield (
        f"named rightly, of {found.proven:,} of which the exchange has records",
        share(found.proven_named, found.proven),
    )
    named, seen = of(others)
    yield f"named rightly, of {seen:,} that are not of a book put back to a backup", share(named, seen)
    named, seen = of([one for one in others if "unexplained" not in one.causes])
    yield f"the same of the {seen:,} of them that may not be called unexplained", share(named, seen)


def _put_right(found: Measures) -> Iterable[tuple[str, str]]:
    by: Counter[str] = sum(_by_whom(found).values(), Counter())
    whole, themselves = sum(by.values()), by["policy"] + by["person"] + by["nobody"]
    yield (
        f"put right, of {whole:,} errors: by the policy / by a person / by nobody until the end / gone by themselves",
        " / ".join(share(each, whole) for each in (by["policy"], by["person"], by["nobody"], whole - themselves)),
    )
    yield f"put right by the policy, of {found.small:,} small ones", share(found.small_alone, found.small)
    free, alone = found.small - found.limited, found.small_alone - found.limited_alone
    yield f"the same of the {free:,} of them that no limit of the policy keeps for a person", share(alone, free)


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
