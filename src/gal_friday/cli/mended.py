"""What a run posted, what it asks a person about, and what it leaves to a later run, as lines of text.

The report decides nothing anew: it tells what stands in it. Amounts and ids are whole at every width.
"""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from gal_friday.cli.again import named
from gal_friday.cli.columns import aligned, padded, signed, table
from gal_friday.cli.output import printable
from gal_friday.domain import quantity, words
from gal_friday.domain.decision import Choice, Decided
from gal_friday.domain.report import ReconciliationReport, Repaired

ENTRIES_MAX = 15  # More than a person reads; the rest is counted and can be had with --json.
_NAMED_MAX = 6
_INDENT = " " * 6


def repaired_of(report: ReconciliationReport, width: int) -> Iterator[str]:
    """Yield a heading and what was posted to the book without a person; nothing where nothing was."""
    every = _by_adjustment(report.auto_corrections)
    if not every:
        return
    yield f"Repaired without a person: {len(every)}"
    yield from _limited(every, [list(_entry(each, width)) for each in every])


def waiting_of(
    report: ReconciliationReport, width: int, *, recorded: bool = True, kept: bool = True, config: Path | None = None
) -> Iterator[str]:
    """Yield a heading and what a person has to decide or to find out; nothing where nobody has to.

    *recorded* is false for a report that no database has; *kept* says whether proposals can be approved here, as they
    can where the book is embedded, or a writer takes them. *config* is the configuration that the command named.
    """
    proposals = _by_adjustment(report.proposals)
    escalated = [one for one in report.decisions if one.decision.choice is Choice.ESCALATE]
    if not proposals and not escalated:
        return
    because = {_id(one): "; ".join(one.decision.reasons) for one in report.decisions}
    blocks = []
    for each in proposals:
        last = f"gal-friday review approve {each[0].adjustment_id}{named(config)}"
        block = [*_entry(each, width), *_wrapped(f"because {because[each[0].adjustment_id]}", width)]
        if recorded:
            block.append(_INDENT + (last if kept else "this book is not kept here: post it in your own system"))
        blocks.append(block)
    blocks += [list(_escalated(one, width)) for one in escalated]
    yield f"Waits for a person: {len(blocks)}"
    yield from _limited([*proposals, *escalated], blocks)


def later_of(report: ReconciliationReport, width: int) -> Iterator[str]:
    """Yield a heading and what a later run decides, one line for each reason; nothing where there is nothing."""
    waits = [one for one in report.decisions if one.decision.choice is Choice.WAIT]
    if not waits:
        return
    yield f"Waits for a later run: {len(waits)}"
    groups: dict[str, list[str]] = {}
    for one in waits:
        groups.setdefault("; ".join(one.decision.reasons), []).append(_about(one))
    for reason, names in groups.items():
        more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
        yield from _wrapped(f"{', '.join(names[:_NAMED_MAX])}{more}: {reason}", width, "  ")


def _by_adjustment(entries: Sequence[Repaired]) -> list[list[Repaired]]:
    """Return the entries of each adjustment together, in their order."""
    groups: dict[str, list[Repaired]] = {}
    for entry in entries:
        groups.setdefault(entry.adjustment_id, []).append(entry)
    return list(groups.values())


def _limited(every: Sequence[object], blocks: Sequence[Sequence[str]]) -> Iterator[str]:
    for block in blocks[:ENTRIES_MAX]:
        yield from block
    if len(every) > ENTRIES_MAX:
        yield f"  … and {len(every) - ENTRIES_MAX} more; --json lists them all"


def _entry(entries: Sequence[Repaired], width: int) -> Iterator[str]:
    """Yield one adjustment: its id, what and why, and each amount before and after."""
    first = entries[0]
    kind = first.type.replace("_", " ")
    yield from _wrapped(f"{first.adjustment_id}  {kind}: {first.reason}", width, "  ")
    moved = [entry for entry in entries if entry.difference is not None]
    yield from (f"{_INDENT}{line}" for line in _amounts(moved))


def _amounts(moved: Sequence[Repaired]) -> list[str]:
    return table(
        (
            padded([printable(each.currency or each.pair or "") for each in moved]),
            aligned([_before(each) for each in moved]),
            ["→" for _ in moved],
            aligned([_after(each) for each in moved]),
            aligned([signed(each.difference) for each in moved]),
        )
    )


def _before(each: Repaired) -> str:
    old = each.old_balance if each.old_balance is not None else each.old_quantity
    return "nothing" if old is None else quantity.short(old)


def _after(each: Repaired) -> str:
    new = each.new_balance if each.new_balance is not None else each.new_quantity
    return "nothing" if new is None else quantity.short(new)


def _escalated(one: Decided, width: int) -> Iterator[str]:
    cause = one.candidate.cause.replace("_", " ")
    yield from _wrapped(f"{cause}: {_about(one)}: {'; '.join(one.decision.reasons)}", width, "  ")


def _about(one: Decided) -> str:
    keys = one.candidate.keys
    more = f" and {words.counted(len(keys) - 1, 'key', 'keys')} more" if len(keys) > 1 else ""
    return f"{keys[0]}{more}" if keys else one.candidate.event


def _id(one: Decided) -> str:
    made = one.candidate.adjustment
    return made.adjustment_id if made is not None else ""


def _wrapped(text: str, width: int, indent: str = _INDENT) -> list[str]:
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
