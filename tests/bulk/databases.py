"""Sides as tables of a database."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
from msgspec import Struct

from gal_friday.bulk.sieve import SIDES
from gal_friday.domain.snapshot import Side


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


def in_sqlite(file: Path, rows: Sequence[Sequence[object]], kind: str = "TEXT") -> str:
    """Write one side to a new file, and return what its table is called."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"CREATE TABLE balances (account TEXT, asset TEXT, wallet TEXT, quantity {kind})")
        connection.executemany("INSERT INTO balances VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    return f"{file}#balances"
