"""``gal-friday discrepancies`` and ``discrepancy``: what is open, since when, and the life of each.

Looking changes nothing and judges nothing: the exit status is 0 whatever is shown.
"""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec.structs import replace

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.cli.adjusting import adjustment_json
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.following import list_lines, page_lines
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, say, write_json
from gal_friday.cli.proposed import repairs_of
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.followed import Followed
from gal_friday.domain.materiality import Severity
from gal_friday.domain.plain import plain
from gal_friday.domain.reviewed import Review, unreviewed
from gal_friday.flows.review import Looked, UnknownDiscrepancy, look
from gal_friday.ports.errors import SeveralMatch

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
    found, reviews = asyncio.run(_found(settings, account, cleared))
    every = sorted(found, key=_rank)
    shown = every[:limit]
    if as_json:
        listed = [_json(one, reviews.get(one.id)) for one in shown]
        write_json({"discrepancies": listed, "count": len(shown)})
    elif shown:
        now, currency = system_clock().now(), _currency(settings)
        _print(list_lines(shown, now=now, currency=currency, width=out().width, reviews=reviews))
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
    try:
        seen, repairs = asyncio.run(_one(settings, discrepancy_id))
    except (SeveralMatch, UnknownDiscrepancy) as wrong:
        raise BadUsage(str(wrong)) from wrong
    if as_json:
        made = [adjustment_json(one, plain(one.adjustment)) for one in repairs]
        write_json(_json(seen.followed, seen.review) | {"review_changes": seen.changes, "adjustments": made})
    else:
        now, currency = system_clock().now(), _currency(settings)
        told = page_lines(
            seen.followed,
            now=now,
            currency=currency,
            review=seen.review,
            changes=seen.changes,
            repairs=repairs,
            width=out().width,
            config=config,
        )
        _print(told)
    return RECONCILED


async def _found(
    settings: Settings, account: str | None, cleared: bool
) -> tuple[Sequence[Followed], Mapping[str, Review]]:
    async with ReconciliationService(settings) as service:
        found = await service.opened.store.discrepancies(account=account, cleared=cleared)
        return found, await service.opened.reviews.reviews(one.id for one in found)


async def _one(settings: Settings, prefix: str) -> tuple[Looked, Sequence[Kept]]:
    """Return the discrepancy with every change of its life, not only the newest, and what was made to repair it."""
    async with ReconciliationService(settings) as service:
        seen = await look(desk_of(service.opened), prefix)
        changes = await service.opened.store.changes(seen.followed.id)
        repairs = await repairs_of(service.opened.adjustments, seen.followed.account, seen.followed.id)
        return replace(seen, followed=replace(seen.followed, history=tuple(changes))), repairs


def _json(one: Followed, review: Review | None) -> dict[str, Any]:
    return {**plain(one), "review": review or unreviewed(one)}


def _rank(one: Followed) -> tuple[bool, int, Decimal, str]:
    value = one.latest.value or quantity.ZERO
    return not one.is_open, -_WEIGHT[one.severity], quantity.negate(value), one.id


def _currency(settings: Settings) -> str:
    return settings.reconciliation.reporting_currency


def _print(lines: Sequence[str]) -> None:
    console = out()
    for line in lines:
        console.print(line)
