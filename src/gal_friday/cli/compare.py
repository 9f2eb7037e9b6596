"""``gal-friday compare``: two snapshot files, one report; or two tables of any size. Nothing else is asked."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec.structs import replace

from gal_friday.cli.exit_status import exit_status
from gal_friday.cli.files import snapshot_in, title
from gal_friday.cli.options import AsJson, BadUsage, ExitZero, Only, kinds_in, prices_in
from gal_friday.cli.output import STDIN
from gal_friday.cli.table_options import Tables, is_table
from gal_friday.domain.aliases import Aliases, renamed
from gal_friday.domain.assets import Asset
from gal_friday.domain.errors import MixedSides
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.report import compare as compared
from gal_friday.domain.snapshot import Snapshot

Internal = Annotated[
    str,
    Parameter(
        help="Snapshot file of the book, or a table (.csv, .parquet, x.db#table, postgresql://…#table); - is stdin."
    ),
]
TheExchange = Annotated[str, Parameter(help="Snapshot file of the exchange, or a table; - is standard input.")]
Prices = Annotated[str | None, Parameter(help="What one unit is worth, to value differences: BTC=60000,XRP=0.61.")]
Currency = Annotated[str | None, Parameter(help="Currency of these prices and of all values; USD by default.")]

_USUAL = Tables()
Names = Annotated[
    Path | None,
    Parameter(
        name="--config",
        help="Take tolerances, thresholds and a trading system's names from this configuration; else none apply.",
    ),
]


def compare(
    internal: Internal,
    exchange: TheExchange,
    /,
    *,
    only: Only = None,
    prices: Prices = None,
    currency: Currency = None,
    config: Names = None,
    tables: Annotated[Tables, Parameter(name="*")] = _USUAL,
    as_json: AsJson = False,
    exit_zero: ExitZero = False,
) -> int:
    """Compare two snapshot files, or two tables. Tolerances and names apply only where a configuration is named."""
    kinds, worth = kinds_in(only), prices_in(prices)
    policy, names = (Policy(), Aliases()) if config is None else _configured(config)
    if currency is not None:
        policy = replace(policy, reporting_currency=Asset(currency))
    if is_table(internal) or is_table(exchange):
        if only is not None and {*kinds} != {Kind.BALANCES, *map(Kind, tables.records)}:
            raise BadUsage(
                "--only: of tables balances are compared, and what --fills, --movements and --positions name; "
                "leave it out"
            )
        from gal_friday.cli.tables import compare_tables

        return compare_tables(
            internal, exchange, tables, policy, worth, names.assets, config=config, as_json=as_json, exit_zero=exit_zero
        )
    ours, theirs = _both_sides(internal, exchange)
    ours = renamed(ours, names)
    report = compared(ours, theirs, policy=policy, prices=worth, only=kinds)
    _show(report, as_json=as_json)
    return exit_status(report, exit_zero=exit_zero)


def _both_sides(internal: str, exchange: str) -> tuple[Snapshot, Snapshot]:
    if internal == exchange == STDIN:
        raise BadUsage("only one of the two files can be standard input")
    ours, theirs = snapshot_in(internal), snapshot_in(exchange)
    match ours.side, theirs.side:
        case "exchange", "internal":
            raise MixedSides(
                f"{title(internal)} is the exchange's side and {title(exchange)} the book's; "
                f"swap them: gal-friday compare {_as_typed(exchange)} {_as_typed(internal)}"
            )
        case one, other if one == other:
            raise MixedSides(f'both files are of the {one} side; one must say "internal", the other "exchange"')
    return ours, theirs


def _as_typed(name: str) -> str:
    return "-" if name == STDIN else shlex.quote(name)


def _configured(config: Path) -> tuple[Policy, Aliases]:
    from gal_friday.bootstrap.settings import load

    settings = load(config)
    return settings.reconciliation.policy(), settings.aliases.table()


def _show(report: ReconciliationReport, *, as_json: bool) -> None:
    from gal_friday.cli.output import out, write
    from gal_friday.cli.render import print_report, report_json

    if as_json:
        write(report_json(report) + b"\n")
    else:
        print_report(report, out(), recorded=False)
