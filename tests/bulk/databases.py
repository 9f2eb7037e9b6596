"""Both sides as tables of a database."""

from collections.abc import Mapping, Sequence

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
