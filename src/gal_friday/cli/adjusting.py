"""Adjustments as lines of text and as JSON: in a list, and one by itself with everything that happened to it."""

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gal_friday.cli.again import named
from gal_friday.cli.columns import aligned, padded, signed, table, worth
from gal_friday.domain import quantity, words
from gal_friday.domain.adjusted import IN_THE_BOOK, POLICY, Applied, Kept, Refused, Unsettled, names_of
from gal_friday.domain.adjustment import AdjustmentState, Effect
from gal_friday.domain.instants import instant

_LABEL = 14


def adjustment_json(kept: Kept, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an adjustment with everything that happened to it; *content* is the adjustment as JSON types."""
    return {
        **content,
        "state": kept.state,
        "content": kept.adjustment.content,
        "proposed_by": kept.proposed_by,
        "decided_by": kept.decided_by,
        "four_eyes": kept.four_eyes,
        "outcome": kept.outcome,
        "history": kept.history,
    }


def list_lines(found: Sequence[Kept], *, currency: str, width: int) -> list[str]:
    """Return one line for each adjustment and one for the headings; two for each where one is too narrow."""
    columns = [
        padded(["adjustment", *(one.id for one in found)]),
        padded(["at", *(f"{one.adjustment.at:%Y-%m-%d %H:%M}" for one in found)]),
        padded(["state", *(_plain(one.state) for one in found)]),
        padded(["by", *(_who(one) for one in found)]),
        padded(["type", *(_plain(one.adjustment.type) for one in found)]),
        padded(["cause", *(_plain(one.adjustment.cause) for one in found)]),
        [cell.rjust(18) for cell in ["worth", *(worth(one.adjustment.value, currency) for one in found)]],
        ["change", *(_changes(one) for one in found)],
    ]
    wide = table(columns)
    if all(len(line) <= width for line in wide):
        return wide
    heads = table(columns[:5])
    below = [
        f"    {', '.join(filter(None, (_changes(one), _plain(one.adjustment.cause))))}"
        + (f", {worth(one.adjustment.value, currency)}" if one.adjustment.value is not None else "")
        for one in found
    ]
    return [heads[0], *(line for pair in zip(heads[1:], below, strict=True) for line in pair)]


def _who(one: Kept) -> str:
    return one.decided_by or one.proposed_by


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _changes(one: Kept) -> str:
    """Return what it adds where, or what it is about where it moves no amount."""
    moved = [f"{_place(effect)} {signed(effect.change)}" for effect in one.adjustment.effects]
    return ", ".join(moved or sorted(names_of(one.adjustment)))


def _place(effect: Effect) -> str:
    return effect.key.partition(":")[2].rpartition(":")[0]


def page_lines(kept: Kept, *, currency: str, width: int, config: Path | None = None) -> list[str]:
    """Return everything about one adjustment: what it posts, what it rests on, its history, the way back.

    *config* is the configuration that the command named.
    """
    return list(_page(kept, currency, width, config))


def _page(kept: Kept, currency: str, width: int, config: Path | None) -> Iterator[str]:
    made = kept.adjustment
    yield f"{kept.id}: {_plain(kept.state)}, {_plain(made.type)} in {made.account} at {made.exchange}"
    yield from _labelled("Why", [f"{_plain(made.cause)}: {made.reason}"], width)
    if made.value is not None:
        yield from _labelled("Worth", [worth(made.value, currency)], width)
    yield from _labelled("Posts", [words.posted(posting) for posting in made.postings], width)
    effects = [f"{' ' * _LABEL}{line}" for line in effect_lines(made.effects)]
    yield from (f"{'' if n else 'Moves':<{_LABEL}}{line[_LABEL:]}" for n, line in enumerate(effects))
    yield from _labelled("Rests on", [", ".join(made.record_ids) or _on_nothing(kept)], width)
    yield from _labelled("Repairs", [", ".join(made.discrepancies)] if made.discrepancies else [], width)
    yield from _labelled("Takes back", [made.reverses] if made.reverses else [], width)
    read = f"{made.reconciliation_id or 'no run'}, {instant(made.at)}"
    book = f", from version {made.book_version} of the book" if made.book_version else ""
    yield from _labelled("Computed by", [f"{read}{book}"], width)
    yield from _labelled("Outcome", list(_outcome(kept)), width)
    yield from _labelled("History", list(_history(kept)), width)
    command, purpose = _next(kept)
    if command:
        yield ""
        yield "What next"
        yield f"  {command}{named(config)}"
        yield f"      ({purpose})"


def _on_nothing(kept: Kept) -> str:
    if kept.adjustment.is_plug:
        return "no record: it forces the amount, against suspense, until the real record arrives"
    return "the exchange's answer"


def effect_lines(effects: Sequence[Effect]) -> list[str]:
    """Return what is added where, one line for each amount, before and after."""
    return table(
        (
            padded([effect.key for effect in effects]),
            aligned([quantity.short(effect.before) for effect in effects]),
            ["→" for _ in effects],
            aligned([quantity.short(effect.after) for effect in effects]),
            aligned([signed(effect.change) for effect in effects]),
        )
    )


def _outcome(kept: Kept) -> Iterator[str]:
    match kept.outcome:
        case Applied(version=version, gave_way=gave_way):
            yield "in the book" + ("" if version is None else f", version {version}")
            if gave_way:
                yield f"these plugs gave way: {', '.join(gave_way)}"
        case Refused(reason=reason):
            yield f"nothing was written: {reason}"
        case Unsettled(reason=reason):
            yield f"nobody knows: {reason}"
        case None if kept.state is AdjustmentState.OUTCOME_UNKNOWN:
            yield f"nobody knows whether the book has it: {kept.history[-1].note}"
            yield f"nothing more is posted to the book of {kept.adjustment.account} until that is settled"
        case None:
            return


def _history(kept: Kept) -> Iterator[str]:
    for change in kept.history:
        said = f": {change.note}" if change.note else ""
        yield f"{instant(change.at)}  {_plain(change.to_state)} by {change.actor} ({change.how}){said}"


def _next(kept: Kept) -> tuple[str, str]:
    if kept.state is AdjustmentState.PROPOSED:
        barred = kept.four_eyes and kept.proposed_by != POLICY
        whoever = f"somebody else than {kept.proposed_by} decides" if barred else "a person decides"
        return f"gal-friday review approve {kept.id}", f"{whoever}; review reject turns it down"
    if kept.state in (AdjustmentState.OUTCOME_UNKNOWN, AdjustmentState.INTENDED):
        asks = "asks the book about it again under the same id, and looks whether both sides agree"
        return f"gal-friday run {shlex.quote(kept.adjustment.account)}", asks
    if kept.state in IN_THE_BOOK:
        return f"gal-friday review undo {kept.id}", "proposes what takes it back; both stay on record"
    return "", ""


def _labelled(label: str, texts: Sequence[str], width: int) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from textwrap.wrap(
            text,
            max(width, 40),
            initial_indent=f"{'' if number else label:<{_LABEL}}",
            subsequent_indent=" " * (_LABEL + (2 if label == "History" else 0)),
            break_long_words=False,
            break_on_hyphens=False,
        )
