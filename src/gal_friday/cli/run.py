"""``gal-friday run``: one reconciliation now, of one account or of several, one after the other.

It reads, compares, records, repairs what policy allows in the embedded book, proposes the rest, and tells.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import account_of
from gal_friday.cli.exit_status import FAILED, WRONG_USAGE, exit_status, worst
from gal_friday.cli.meter import Meter
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile, ExitZero, Only, can_be_repaired, kinds_in
from gal_friday.cli.output import complain, out, write, write_json
from gal_friday.cli.render import print_report, report_json
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.ports.errors import AccountBusy

Accounts = Annotated[str, Parameter(help="Accounts by name; where one is configured, it need not be named.")]
EveryAccount = Annotated[bool, Parameter(name="--all", help="Every account of the configuration.")]
ModeWord = Annotated[
    Literal["observe", "propose", "enforce"],
    Parameter(
        name="--mode",
        help="observe: look and report; propose: a person decides about every repair; enforce: what the policy allows "
        "is posted to the book. By default as configured.",
    ),
]


def run(
    *accounts: Accounts,
    every: EveryAccount = False,
    only: Only = None,
    mode: ModeWord | None = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
    exit_zero: ExitZero = False,
) -> int:
    """Reconcile accounts now; the exit status is that of the worst."""
    kinds, settings = kinds_in(only), load(config)
    names = _names(settings, accounts, every=every)
    several = every or len(names) > 1
    reports, statuses = asyncio.run(
        _reconciled(settings, names, kinds, Mode(mode) if mode else None, show=not as_json, config=config)
    )
    if as_json and several:
        write_json({"reports": reports, "count": len(reports)})
    elif as_json:
        for report in reports:
            write(report_json(report) + b"\n")
    return worst(statuses, exit_zero=exit_zero)


def _names(settings: Settings, accounts: Sequence[str], *, every: bool) -> list[str]:
    """Return the accounts that were asked for, each once, all of them known."""
    if every and accounts:
        raise BadUsage("--all means every account; name none beside it")
    if every:
        account_of(settings, next(iter(settings.accounts), None))
        return sorted(settings.accounts)
    return list(dict.fromkeys(account_of(settings, name)[0] for name in (accounts or (None,))))


async def _reconciled(
    settings: Settings,
    names: Sequence[str],
    kinds: Sequence[Kind],
    mode: Mode | None,
    *,
    show: bool,
    config: Path | None,
) -> tuple[list[ReconciliationReport], list[int]]:
    """Reconcile one account after the other; one that is badly configured stops none of the others."""
    reports: list[ReconciliationReport] = []
    statuses: list[int] = []
    meter = Meter()
    async with ReconciliationService(settings, progress=meter) as service:
        for name in names:
            try:
                report = await service.run_reconciliation(name, only=kinds, mode=mode)
            except BadConfiguration as wrong:
                complain(str(wrong))
                statuses.append(WRONG_USAGE)
                continue
            except AccountBusy as busy:
                complain(str(busy))
                statuses.append(FAILED)
                continue
            finally:
                meter.clear()
            if show:
                _show(report, first=not reports, kept=can_be_repaired(settings, name), config=config)
            reports.append(report)
            statuses.append(exit_status(report))
    return reports, statuses


def _show(report: ReconciliationReport, *, first: bool, kept: bool, config: Path | None) -> None:
    console = out()
    if not first:
        console.print()
    print_report(report, console, kept=kept, config=config)
