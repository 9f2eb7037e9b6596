"""What is proposed, as somebody needs it who has to decide: what it would post, who asked for it, how it is approved.

Amounts and ids are whole at every width. Nothing here decides.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gal_friday.cli.adjusting import effect_lines
from gal_friday.cli.again import named
from gal_friday.cli.columns import worth
from gal_friday.cli.output import printable
from gal_friday.domain.adjusted import POLICY, Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.ports.adjustments import Adjustments

_INDENT = " " * 6
_LOOKED_AT = 1_000


async def proposed_in(adjustments: Adjustments, account: str | None) -> Sequence[Kept]:
    """Return what is proposed in this account, or in all of them, the newest first."""
    return await adjustments.adjustments(account=account, states=[AdjustmentState.PROPOSED], limit=_LOOKED_AT)


async def repairs_of(adjustments: Adjustments, account: str, discrepancy_id: str) -> Sequence[Kept]:
    """Return every adjustment that was ever made for this discrepancy, whatever became of it; the newest first."""
    every = await adjustments.adjustments(account=account, limit=_LOOKED_AT)
    return [one for one in every if discrepancy_id in one.adjustment.discrepancies]


def proposed_lines(
    kept: Iterable[Kept], *, currency: str, width: int, config: Path | None = None
) -> Iterator[str]:  # fmt: skip
    """Yield a heading, and of each proposal all that a decision about it needs; nothing where nothing is proposed."""
    every = list(kept)
    if every:
        yield f"Proposed: {len(every)}"
    for one in every:
        yield from _proposal(one, currency, width)
        yield f"{_INDENT}gal-friday review approve {one.id}{named(config)}"


def _proposal(one: Kept, currency: str, width: int) -> Iterator[str]:
    made = one.adjustment
    value = f", {worth(made.value, currency)}" if made.value is not None else ""
    yield from _wrapped(f"{one.id}  {made.type.replace('_', ' ')}{value}: {made.reason}", width, "  ")
    yield from (f"{_INDENT}{line}" for line in effect_lines(made.effects))
    if made.is_plug:
        yield from _wrapped("no record stands behind it: it forces the amount, against suspense", width)
    yield from _wrapped(f"proposed by {one.proposed_by}{_because(one)}; {may_approve(one)}", width)


def _because(one: Kept) -> str:
    proposed = [change for change in one.history if change.to_state is AdjustmentState.PROPOSED]
    said = proposed[-1].note if proposed else ""
    return f", because {said}" if said and one.proposed_by == POLICY else ""


def may_approve(one: Kept) -> str:
    """Return who may approve it, in words."""
    if one.proposed_by == POLICY:
        return "any person may approve it"
    if one.four_eyes:
        return f"somebody else than {one.proposed_by} has to approve it (four eyes)"
    return "whoever proposed it may approve it too"


def _wrapped(text: str, width: int, indent: str = _INDENT) -> list[str]:
    return textwrap.wrap(
        printable(text),
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
