"""``gal-friday discrepancies`` and ``discrepancy``: what is open, since when, and the life of each.

Looking changes nothing and judges nothing: the exit status is 0 whatever is shown.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from cyclopts import Parameter
from msgspec.structs import replace

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.following import list_lines, page_lines
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, say, write_json
from gal_friday.domain import quantity
from gal_friday.domain.followed import Followed
from gal_friday.domain.materiality import Severity

_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}

Account = Annotated[str | None, Parameter(help="Discrepancies of this account alone.")]
Cleared = Annotated[bool, Parameter(name="--all", help="Those as well that were seen to agree since.")]
Limit = Annotated[int, Parameter(help="At most so many, the most severe.")]
Id = Annotated[str, Parameter(help="A discrepancy's id, or its beginning.")]


def discrepancies(
    *,
    account: Account = None,
    cleared: Cleared = False,
    limit: Limit = 100,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """List what is open, the most severe first."""
    if limit <= 0:
        raise BadUsage("--limit goes from 1")
    settings = load(config)
    every = sorted(asyncio.run(_found(settings, account, cleared)), key=_rank)
    shown = every[:limit]
    if as_json:
        write_json({"discrepancies": shown, "count": len(shown)})
    elif shown:
        _print(list_lines(shown, now=system_clock().now(), currency=_currency(settings), width=out().width))
    else:
        say("no discrepancy is open" if not cleared else "no discrepancy was ever seen")
    if len(every) > limit:
        say(f"these are the {limit} most severe of {len(every)}; --limit shows more")
    return RECONCILED


def discrepancy(
    discrepancy_id: Id,
    /,
    *,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Show one discrepancy: both sides, since when, why, its life, and what to do next."""
    settings = load(config)
    found = asyncio.run(_one(settings, discrepancy_id))
    if found is None:
        raise BadUsage(f"no discrepancy {discrepancy_id!r}; `gal-friday discrepancies --all` lists them")
    if as_json:
        write_json(found)
    else:
        _print(page_lines(found, now=system_clock().now(), currency=_currency(settings)))
    return RECONCILED


async def _found(settings: Settings, account: str | None, cleared: bool) -> Sequence[Followed]:
    async with ReconciliationService(settings) as service:
        return await service.opened.store.discrepancies(account=account, cleared=cleared)


async def _one(settings: Settings, prefix: str) -> Followed | None:
    """Return the discrepancy with every change of its life, not only the newest that it carries with it."""
    async with ReconciliationService(settings) as service:
        store = service.opened.store
        found = await store.discrepancy(prefix)
        return None if found is None else replace(found, history=tuple(await store.changes(found.id)))


def _rank(one: Followed) -> tuple[bool, int, Decimal, str]:
    value = one.latest.value or quantity.ZERO
    return not one.is_open, -_WEIGHT[one.severity], quantity.negate(value), one.id


def _currency(settings: Settings) -> str:
    return settings.reconciliation.reporting_currency


def _print(lines: Sequence[str]) -> None:
    console = out()
    for line in lines:
        console.print(line)
