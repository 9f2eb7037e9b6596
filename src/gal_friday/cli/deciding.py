"""Decisions about repairs as lines of text and as JSON: what an adjustment does, where it stands, what comes next."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gal_friday.cli.again import named
from gal_friday.cli.columns import signed
from gal_friday.cli.suspense import drained_line
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Applied, Refused, Unsettled
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.give_way import Drained
from gal_friday.flows.decide import Decided


def decided_json(done: Decided, drained: Sequence[Drained] = ()) -> dict[str, Any]:
    """Return what became of an adjustment."""
    kept = done.kept
    return {
        "adjustment_id": kept.id,
        "state": kept.state,
        "type": kept.adjustment.type,
        "reverses": kept.adjustment.reverses,
        "discrepancies": kept.adjustment.discrepancies,
        "effects": kept.adjustment.effects,
        "value": kept.adjustment.value,
        "proposed_by": kept.proposed_by,
        "decided_by": kept.decided_by,
        "four_eyes": kept.four_eyes,
        "content": kept.adjustment.content,
        "outcome": done.outcome,
        "suspense": drained,
        "changes": done.changes,
    }


def decided_lines(done: Decided, *, drained: Sequence[Drained] = (), config: Path | None = None) -> Iterator[str]:
    """Yield what became of an adjustment, what it does to the book, and what comes next.

    *drained* is what plugs gave way to, *config* the configuration that the command named.
    """
    kept = done.kept
    state, kind = kept.state.replace("_", " "), kept.adjustment.type.replace("_", " ")
    yield f"{kept.id}: {state}, {kind}: {kept.adjustment.reason}"
    for effect in kept.adjustment.effects:
        change = signed(effect.change)
        yield f"  {effect.key}  {quantity.short(effect.before)} → {quantity.short(effect.after)} ({change})"
    yield from (f"  {drained_line(one)}" for one in drained)
    match done.outcome:
        case Refused(reason=reason):
            yield f"  nothing was written: {reason}"
        case Unsettled(reason=reason):
            yield f"  nobody knows whether it was posted: {reason}"
            yield "  nothing more is posted to this book until that is settled; the next run asks again:"
            yield f"  gal-friday run {shlex.quote(kept.adjustment.account)}{named(config)}"
        case Applied(version=version):
            at = "took it" if version is None else f"is at version {version}"
            yield f"  the book {at}; it is settled once a run sees both sides agree:"
            yield f"  gal-friday run {shlex.quote(kept.adjustment.account)}{named(config)}"
        case _ if kept.state is AdjustmentState.PROPOSED:
            whoever = f"somebody else than {kept.proposed_by}" if kept.four_eyes else "somebody"
            yield f"  {whoever} has to approve it: gal-friday review approve {kept.id}{named(config)}"
        case _:
            return
