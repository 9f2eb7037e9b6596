"""Balances with the movements that they come from, of which it is known which the book lacks, and why.

    python -m benchmarks.bulk.moved FOLDER ROWS EVERY          write balances and movements of both sides
    python -m benchmarks.bulk.moved FOLDER ROWS EVERY FOUND    count balances that are told wrongly, or not at all

An account has a thousand movements in ten assets. Of so many movements (EVERY) the book lacks one, so that a balance is
off by it: a deposit, a withdrawal, a reward or one that the exchange made by itself.
"""

import sys
from pathlib import Path

import duckdb

ACCOUNT, ASSETS = 1_000, 10
_KIND = "CASE i % 4 WHEN 0 THEN 'deposit' WHEN 1 THEN 'withdrawal' WHEN 2 THEN 'reward' ELSE 'exchange_adjustment' END"
_AMOUNT = (
    "CASE i % 4 WHEN 1 THEN -1 ELSE 1 END * (CAST(1 + hash(i) % 100000 AS DECIMAL(38, 18)) "
    "+ CAST(hash(i + 1) % 1000000 AS DECIMAL(38, 18)) * 0.000001::DECIMAL(10, 6))"
)
_CAUSES = {
    "deposit": "unbooked_deposit",
    "withdrawal": "unbooked_withdrawal",
    "reward": "reward",
    "exchange_adjustment": "exchange_adjustment",
}


def _rows(rows: int, every: int) -> str:
    at = "TIMESTAMP '2026-01-01 00:00:00' + to_milliseconds(i)"
    return (
        f"SELECT i, 'acct-' || (i // {ACCOUNT}) AS account, 'L' || i AS movement_id, {_KIND} AS kind, "
        f"'A' || (hash(i, 3) % {ASSETS}) AS asset, CAST({_AMOUNT} AS DECIMAL(38, 18)) AS amount, {at} AS at, "
        f"hash(i, 7) % {every} = 0 AS lost FROM range({rows}) t(i)"
    )


def plant(folder: Path, rows: int, every: int) -> None:
    """Write both sides."""
    with duckdb.connect() as connection:
        for side, kept in (("internal", "NOT lost"), ("exchange", "TRUE")):
            held = f"SELECT * EXCLUDE (i, lost) FROM ({_rows(rows, every)}) WHERE {kept}"
            target = f"{folder}/moved_{side}.parquet"
            connection.execute(f"COPY ({held}) TO '{target}' (FORMAT parquet)")
            total = "CAST(sum(amount) AS DECIMAL(38, 18)) AS quantity"
            sums = f"SELECT account, asset, {total} FROM '{target}' GROUP BY ALL"
            connection.execute(f"COPY ({sums}) TO '{folder}/{side}.parquet' (FORMAT parquet)")


def told(found: Path, rows: int, every: int) -> tuple[int, int]:
    """Return how many balances are told with a cause that is none of theirs, and how many are not told with theirs."""
    causes = " ".join(f"WHEN '{kind}' THEN '{cause}'" for kind, cause in _CAUSES.items())
    planted = f"SELECT account, asset, CASE kind {causes} END AS cause FROM ({_rows(rows, every)}) WHERE lost"
    # Where a balance lacks several, any of their causes is one of its own.
    off = f"SELECT account, asset, cause FROM '{found}' WHERE key LIKE 'balances:%'"
    wrong = f"SELECT count(*) FROM ({off}) WHERE (account, asset, cause) NOT IN ({planted})"
    missed = f"SELECT count(*) FROM (SELECT account, asset FROM ({planted}) EXCEPT SELECT account, asset FROM ({off}))"
    with duckdb.connect() as connection:
        return tuple(int(connection.execute(one).fetchall()[0][0]) for one in (wrong, missed))  # type: ignore[return-value]


def main(arguments: list[str]) -> None:
    """Write, or count."""
    folder, rows, every = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    if arguments[3:]:
        print(*told(folder / arguments[3], rows, every))
    else:
        plant(folder, rows, every)


if __name__ == "__main__":
    main(sys.argv[1:])
