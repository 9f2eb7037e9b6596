"""``gal-friday adjustments``: what was proposed, posted and taken back, and the whole life of one of them.

Looking changes nothing and judges nothing: the exit status is 0 whatever is shown.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.cli.adjusting import adjustment_json, list_lines, page_lines
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.domain import words
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.plain import plain
from gal_friday.ports.errors import SeveralMatch

_DAYS_MAX = 36_500

Id = Annotated[str | None, Parameter(help="An adjustment's id, or its beginning; without it they are listed.")]
Account = Annotated[str | None, Parameter(help="Adjustments of this account alone.")]
Pair = Annotated[str | None, Parameter(help="Those of one instrument or asset: BTC/USD, BTC.")]
Days = Annotated[int, Parameter(help="How many days back.")]
States = Annotated[
    str | None, Parameter(name="--state", help=f"With commas between them: {', '.join(AdjustmentState)}.")
]
Limit = Annotated[int, Parameter(help="At most so many, the newest.")]


def adjustments(
    adjustment_id: Id = None,
    /,
    *,
    account: Account = None,
    pair: Pair = None,
    days: Days = 30,
    state: States = None,
    limit: Limit = 100,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """List adjustments, newest first; with an id, tell the whole life of one."""
    if not 0 < days <= _DAYS_MAX or limit <= 0:
        raise BadUsage(f"--days goes from 1 to {_DAYS_MAX} and --limit from 1")
    states, settings = states_in(state), load(config)
    if adjustment_id is not None:
        _show_one(settings, adjustment_id, config, as_json=as_json)
        return RECONCILED
    found = asyncio.run(_found(settings, account, pair, states, days, limit))
    if as_json:
        write_json({"adjustments": [_json(one) for one in found], "count": len(found)})
    elif found:
        _print(list_lines(found, currency=_currency(settings), width=out().width))
    else:
        say(f"no such adjustment in the last {words.counted(days, 'day', 'days')}")
    if len(found) == limit:
        say(f"these are the newest {limit}; --limit shows more")
    return RECONCILED


def states_in(text: str | None) -> tuple[AdjustmentState, ...]:
    """Return the states that ``--state`` names; none for None, which asks for all of them.

    Raises:
        BadUsage: a word that is no state.
    """
    if text is None:
        return ()
    named = {word.strip() for word in text.split(",")}
    if unknown := sorted(named - set(AdjustmentState)):
        raise BadUsage(f"--state: {', '.join(map(repr, unknown))} is no state; known are {', '.join(AdjustmentState)}")
    return tuple(state for state in AdjustmentState if state in named)


def _show_one(settings: Settings, prefix: str, config: Path | None, *, as_json: bool) -> None:
    try:
        found = asyncio.run(_one(settings, prefix))
    except SeveralMatch as wrong:
        raise BadUsage(str(wrong)) from wrong
    if found is None:
        raise BadUsage(f"no adjustment {prefix!r}; `gal-friday adjustments` lists them")
    if as_json:
        write_json(_json(found))
    else:
        _print(page_lines(found, currency=_currency(settings), width=out().width, config=config))


async def _found(
    settings: Settings,
    account: str | None,
    pair: str | None,
    states: Sequence[AdjustmentState],
    days: int,
    limit: int,
) -> Sequence[Kept]:
    since = system_clock().now() - timedelta(days=days)
    async with ReconciliationService(settings) as service:
        return await service.opened.adjustments.adjustments(
            account=account, states=states, since=since, trading_pair=pair, limit=limit
        )


async def _one(settings: Settings, prefix: str) -> Kept | None:
    async with ReconciliationService(settings) as service:
        return await service.opened.adjustments.adjustment(prefix) if prefix else None


def _json(kept: Kept) -> dict[str, Any]:
    return adjustment_json(kept, plain(kept.adjustment))


def _currency(settings: Settings) -> str:
    return settings.reconciliation.reporting_currency


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        out().print(printable(line))
