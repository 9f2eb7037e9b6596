"""Sides as tables of a database."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
from msgspec import Struct

from gal_friday.bulk.forms import FORMS, Holds
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain.snapshot import Side
from tests.bulk.record_worlds import RecordWorld


class Tables(Struct, frozen=True):
    """Both sides as tables of a database."""

    address: str

    def hold(self, world: Mapping[Side, Sequence[tuple[str, str, str, str]]], kind: str) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            for side in SIDES:
                connection.execute(f"DROP TABLE IF EXISTS {side}")
                connection.execute(f"CREATE TABLE {side} (account text, asset text, wallet text, quantity {kind})")
                with connection.cursor() as cursor:
                    cursor.executemany(f"INSERT INTO {side} VALUES (%s, %s, %s, %s)", world[side])

    def hold_records(self, world: RecordWorld, typed: bool) -> None:
        """Put records beside the balances, as text or in the types that a database has for them."""
        types = {Holds.AMOUNT: "numeric", Holds.INSTANT: "timestamptz", Holds.FLAG: "boolean"} if typed else {}
        with psycopg.connect(self.address, autocommit=True) as connection:
            for side in SIDES:
                for name, rows in world[side].rows.items():
                    columns = FORMS[name].columns
                    told = ", ".join(f'"{one}" {types.get(holds, "text")}' for one, holds in columns.items())
                    connection.execute(f"DROP TABLE IF EXISTS {name}_{side}")
                    connection.execute(f"CREATE TABLE {name}_{side} (account text, {told})")
                    given = ", ".join(["%s"] * (len(columns) + 1))
                    lines = [(account, *(cells.get(one) for one in columns)) for account, cells in rows]
                    with connection.cursor() as cursor:
                        cursor.executemany(f"INSERT INTO {name}_{side} VALUES ({given})", lines)


def in_sqlite(file: Path, rows: Sequence[Sequence[object]], kind: str = "TEXT") -> str:
    """Write one side to a new file, and return what its table is called."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"CREATE TABLE balances (account TEXT, asset TEXT, wallet TEXT, quantity {kind})")
        connection.executemany("INSERT INTO balances VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    return f"{file}#balances"
