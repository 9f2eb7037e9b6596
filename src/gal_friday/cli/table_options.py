"""What ``compare`` takes for tables; apart, so that two snapshot files need nothing of what tables need."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bulk.forms import Name
from gal_friday.bulk.postgres import is_database, place_of
from gal_friday.bulk.source import format_of, is_remote

ONE_ACCOUNT = "main"
"""Whose a table is that names no account, where nobody says so."""


@dataclass(frozen=True, kw_only=True)  # what the command line's library takes apart
class Tables:
    """How two tables are laid out, and what comes out of them."""

    key: Annotated[str, Parameter(help="Of tables: columns of account, asset and wallet: account=acct,asset=ccy.")] = (
        "account,asset"
    )
    quantity: Annotated[str, Parameter(help="Of tables: the column of the amount.")] = "quantity"
    price: Annotated[str | None, Parameter(help="Of tables: the column of what one unit is worth.")] = None
    columns: Annotated[
        Path | None, Parameter(help="Of tables: a file that names the columns, of each side too, in place of these.")
    ] = None
    fills: Annotated[
        tuple[str, str] | None,
        Parameter(help="Of tables: two more, of fills, internal and exchange, that are compared and tell causes."),
    ] = None
    movements: Annotated[
        tuple[str, str] | None,
        Parameter(help="Of tables: two more, of movements, internal and exchange, that are compared and tell causes."),
    ] = None
    positions: Annotated[
        tuple[str, str] | None, Parameter(help="Of tables: two more, of positions, internal and exchange.")
    ] = None
    account: Annotated[
        str | None, Parameter(help=f"Of tables without an account column: whose they are; {ONE_ACCOUNT} by default.")
    ] = None
    exchange: Annotated[str, Parameter(help="Of tables: the exchange that they are of, as every id has it.")] = "kraken"
    partial: Annotated[
        str | None, Parameter(help="Of tables: the side that is not whole: internal, exchange, or both with a comma.")
    ] = None
    sieve: Annotated[
        str, Parameter(help="Of tables: how keys are told apart: hash, or exact, which takes more memory.")
    ] = "hash"
    engine: Annotated[
        str | None, Parameter(help="Of tables: what sieves: duckdb, or spark, for what does not fit one machine.")
    ] = None
    master: Annotated[
        str | None, Parameter(help="Of tables with --engine spark: where it runs: spark://host:7077, yarn; else here.")
    ] = None
    digests: Annotated[
        bool, Parameter(help="Of tables: tell in the control totals which rows they are of, which takes longer.")
    ] = False
    memory: Annotated[str | None, Parameter(help="Of tables: about how much memory may be taken, such as 4GB.")] = None
    jobs: Annotated[
        int | None,
        Parameter(help="Of tables: how many processes judge what differs; as many as there are processors by default."),
    ] = None
    spill: Annotated[Path | None, Parameter(help="Of tables: the folder for what does not fit into memory.")] = None
    findings: Annotated[
        Path | None, Parameter(help="Of tables: write every line that differs here: .csv, .jsonl or .parquet.")
    ] = None
    html: Annotated[
        Path | None, Parameter(help="Of tables: write what they come to as one page for a browser or a printer.")
    ] = None
    before: Annotated[
        Path | None, Parameter(help="Of tables: the findings of the day before: what was opened and cleared since.")
    ] = None
    store: Annotated[
        str | None,
        Parameter(help="Of tables: record what differs in this store: a configuration (.toml), a file, an address."),
    ] = None
    as_of: Annotated[
        str | None,
        Parameter(help="Of tables: when both sides were so; without it, when the younger file was written."),
    ] = None
    progress: Annotated[
        bool, Parameter(help="Of tables: say on stderr how far it is where that is no terminal, too.")
    ] = False
    rejected: Annotated[
        Path | None, Parameter(help="Of tables: write every row that cannot be read here, and why.")
    ] = None

    @property
    def records(self) -> Mapping[Name, tuple[str, str]]:
        """The tables of records that are compared besides, by what they hold."""
        found: dict[Name, tuple[str, str] | None] = {
            "fills": self.fills,
            "movements": self.movements,
            "positions": self.positions,
        }
        return {name: pair for name, pair in found.items() if pair is not None}


def is_table(name: str) -> bool:
    """Say whether this names a table, and no snapshot file."""
    return is_database(name) or format_of(name) is not None


def shown(name: str) -> str:
    """Return what may be shown of where a table is: addresses can hold what lets somebody in."""
    if is_database(name):
        return place_of(name).name
    return name.partition("?")[0] if is_remote(name) else name
