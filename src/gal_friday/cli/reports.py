"""``gal-friday reports`` and ``report``: what earlier runs found. Looking changes nothing and judges nothing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.cli.again import carrying
from gal_friday.cli.columns import aligned, padded, table
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile, can_be_repaired
from gal_friday.cli.output import out, printable, say, write, write_json
from gal_friday.cli.render import print_report, report_json
from gal_friday.domain import words
from gal_friday.domain.instants import instant
from gal_friday.domain.report import ReconciliationReport

_DAYS_MAX = 36_500

Days = Annotated[int, Parameter(help="How many days back.")]
OnlyDiscrepancies = Annotated[bool, Parameter(help="Leave out the reports that found none.")]
Account = Annotated[str | None, Parameter(help="Reports of this account alone.")]
Limit = Annotated[int, Parameter(help="At most so many, the newest.")]
Id = Annotated[str | None, Parameter(help="A report's id, or its beginning; without it the latest.")]


def reports(
    *,
    days: Days = 7,
    only_discrepancies: OnlyDiscrepancies = False,
    account: Account = None,
    limit: Limit = 100,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """List recorded reports, newest first."""
    if not 0 < days <= _DAYS_MAX or limit <= 0:
        raise BadUsage(f"--days goes from 1 to {_DAYS_MAX} and --limit from 1")
    found = asyncio.run(_found(load(config), days, account, only_discrepancies, limit))
    if as_json:
        write_json({"reports": found, "count": len(found)})
    elif found:
        _show(found)
    else:
        told = f"no report of the last {words.counted(days, 'day', 'days')}; `gal-friday run` makes one"
        say(carrying(told, config))
    if len(found) == limit:
        say(f"these are the newest {limit}; --limit shows more")
    return RECONCILED


def report(
    reconciliation_id: Id = None,
    /,
    *,
    account: Account = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Show one recorded report."""
    settings = load(config)
    found = asyncio.run(_one(settings, reconciliation_id, account))
    if found is None:
        raise BadUsage(
            f"no report {reconciliation_id!r}; `gal-friday reports` lists them"
            if reconciliation_id
            else "no report is recorded yet; `gal-friday run` makes one"
        )
    if as_json:
        write(report_json(found) + b"\n")
    else:
        print_report(found, out(), kept=can_be_repaired(settings, found.account), config=config)
    return RECONCILED


async def _found(
    settings: Settings, days: int, account: str | None, only_discrepancies: bool, limit: int
) -> Sequence[ReconciliationReport]:
    since = system_clock().now() - timedelta(days=days)
    async with ReconciliationService(settings) as service:
        return await service.opened.store.reports(
            since=since, account=account, only_discrepancies=only_discrepancies, limit=limit
        )


async def _one(settings: Settings, prefix: str | None, account: str | None) -> ReconciliationReport | None:
    async with ReconciliationService(settings) as service:
        store = service.opened.store
        if prefix:
            return await store.report(prefix)
        return next(iter(await store.reports(account=account, limit=1)), None)


def _show(found: Sequence[ReconciliationReport]) -> None:
    columns = (
        padded(["report", *(one.reconciliation_id for one in found)]),
        padded(["of", *(instant(one.timestamp) for one in found)]),
        padded(["account", *(printable(one.account) for one in found)]),
        padded(["verdict", *(_verdict(one) for one in found)]),
        aligned(["differ", *(_count(one) for one in found)]),
    )
    console = out()
    for line in table(columns):
        console.print(line)


def _count(one: ReconciliationReport) -> str:
    """Return how many differ; nothing where nothing was compared, because that is not none."""
    return "-" if words.failed(one) and not one.total_discrepancies else str(one.total_discrepancies)


def _verdict(one: ReconciliationReport) -> str:
    return "failed" if words.failed(one) else one.verdict.value
