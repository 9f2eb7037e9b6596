"""Two tables of which it is known what differs, the same ones each time.

    python -m benchmarks.bulk.planted FOLDER ROWS SHAPE                write internal.parquet and exchange.parquet
    python -m benchmarks.bulk.planted FOLDER ROWS SHAPE FOUND WHOSE    count the keys in FOUND that are false or missed

Of 2,000 keys one is missing at the exchange, one in the book, and one each is off by twice the tolerance, by one, by
exactly the tolerance, by the smallest unit more, has the other sign, stands in two rows that sum up, and is a zero that
the other side lacks. Exactly the tolerance agrees, and so does the zero. Several rows of one key are a discrepancy to
Gal-Friday (WHOSE is "ours"), and a matter of taste to others: what these say of them is not counted.

A process of its own, so that the memory that this takes is that of no program that is measured.
"""

import sys
from pathlib import Path

import duckdb
from msgspec import Struct

SIDES = ("internal", "exchange")
EVERY = 2000
_TOLERANCE = "0.000000010000000000::DECIMAL(38, 18)"
_UNIT = "0.000000000000000001::DECIMAL(38, 18)"
_DIFFER, _TWICE, _ZERO, _MANY = (0, 1, 2, 3, 5, 6), 7, 8, EVERY
_AMOUNT = (
    "(CAST(1 + hash(i) % 1000000000000 AS DECIMAL(38, 18)) "
    "+ CAST(CAST(hash(i + 1) % 100000000 AS DECIMAL(18, 0)) * 0.00000001::DECIMAL(10, 8) AS DECIMAL(38, 18)))"
)
_OTHER = f"""CASE kind
    WHEN 2 THEN {_AMOUNT} + {_TOLERANCE} + {_TOLERANCE}
    WHEN 3 THEN {_AMOUNT} + 1
    WHEN 4 THEN {_AMOUNT} + {_TOLERANCE}
    WHEN 5 THEN {_AMOUNT} + {_TOLERANCE} + {_UNIT}
    WHEN 6 THEN -{_AMOUNT}
    WHEN {_TWICE} THEN {_AMOUNT} - 1
    ELSE {_AMOUNT} END"""


class Shape(Struct, frozen=True):
    """How keys and differences lie; expressions over *i*, the number of a row."""

    account: str = "'acct-' || (i // 100)"
    asset: str = "'A' || (i % 100)"
    kind: str = f"hash(i, 7) % {EVERY}"

    def keys(self, rows: int) -> str:
        """Return the statement that yields every row with its key and its kind."""
        return (
            f"SELECT i, {self.account} AS account, {self.asset} AS asset, {self.kind} AS kind FROM range({rows}) t(i)"
        )


SHAPES = {
    # In every third account something differs.
    "spread": Shape(),
    # Accounts of which one in twenty is off, and then in several keys.
    "gathered": Shape(kind=f"i % {EVERY}"),
    "one key": Shape(
        account="CASE WHEN i % 2 = 0 THEN 'one' ELSE 'acct-' || (i // 100) END",
        asset="'A' || CASE WHEN i % 2 = 0 THEN 0 ELSE i % 100 END",
        kind=f"CASE WHEN i % 2 = 0 THEN {_MANY} ELSE hash(i, 7) % {EVERY} END",
    ),
}


def plant(folder: Path, rows: int, shape: Shape) -> None:
    """Write both sides."""
    zero = f"CASE WHEN kind = {_ZERO} THEN CAST(0 AS DECIMAL(38, 18)) ELSE {_AMOUNT} END"
    keys = shape.keys(rows)
    statements = {
        "internal": f"SELECT account, asset, {zero} AS quantity FROM ({keys}) WHERE kind <> 1",
        "exchange": f"SELECT account, asset, {_OTHER} AS quantity FROM ({keys}) WHERE kind NOT IN (0, {_ZERO}) "
        f"UNION ALL SELECT account, asset, CAST(1 AS DECIMAL(38, 18)) FROM ({keys}) WHERE kind = {_TWICE}",
    }
    with duckdb.connect() as connection:
        for side in SIDES:
            connection.execute(f"COPY ({statements[side]}) TO '{folder}/{side}.parquet' (FORMAT parquet)")


def held(found: Path, rows: int, shape: Shape, *, ours: bool) -> tuple[int, int]:
    """Return how many keys were found and not planted, and planted and not found."""
    told = f"SELECT account, asset FROM '{found}'"
    differ, may = (
        f"SELECT account, asset FROM ({shape.keys(rows)}) WHERE kind IN {kinds}"
        for kinds in (_DIFFER, (*_DIFFER, _TWICE, _MANY))
    )
    with duckdb.connect() as connection:
        (false,), (missed,) = (
            connection.execute(f"SELECT count(*) FROM (({one}) EXCEPT ({other}))").fetchall()[0]
            for one, other in ((told, may), (may if ours else differ, told))
        )
    return int(false), int(missed)


def main(arguments: list[str]) -> None:
    """Write, or count."""
    folder, rows, shape = Path(arguments[0]), int(arguments[1]), SHAPES[arguments[2]]
    if arguments[3:]:
        print(*held(folder / arguments[3], rows, shape, ours=arguments[4] == "ours"))
    else:
        plant(folder, rows, shape)


if __name__ == "__main__":
    main(sys.argv[1:])
