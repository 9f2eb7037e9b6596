"""Keys that are pending, in SQLite or PostgreSQL: in how many runs without a break.

The only rows of the store that are removed: a key that was judged has nothing to count any more. What a run said
of it stays in the run's report.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.sql.tables import PENDING_KEYS
from gal_friday.domain.finding import Key
from gal_friday.domain.records import Kind

_ROWS = PENDING_KEYS.c
_KEY = ("account", "exchange", "kind", "name", "part")


async def of_account(connection: AsyncConnection, account: str, exchange: str) -> dict[Key, int]:
    """Return the counts of this account at this exchange."""
    query = select(_ROWS.kind, _ROWS.name, _ROWS.part, _ROWS.runs)
    rows = await connection.execute(query.where(_ROWS.account == account, _ROWS.exchange == exchange))
    return {Key(Kind(kind), name, part): runs for kind, name, part, runs in rows}


async def write(connection: AsyncConnection, account: str, exchange: str, pending: Mapping[Key, int]) -> None:
    """Make these the counts of this account at this exchange, in the transaction of whoever calls."""
    kept = await of_account(connection, account, exchange)
    gone = [_named(account, exchange, key, "old_") for key in kept.keys() - pending.keys()]
    if gone:
        which = [_ROWS[name] == bindparam(f"old_{name}") for name in _KEY]
        await connection.execute(delete(PENDING_KEYS).where(*which), gone)
    new = [_named(account, exchange, key) | {"runs": runs} for key, runs in pending.items() if kept.get(key) != runs]
    if new:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(PENDING_KEYS)
        # Two runs at once may both count the same key for the first time.
        await connection.execute(
            statement.on_conflict_do_update(index_elements=_KEY, set_={"runs": statement.excluded.runs}), new
        )


def _named(account: str, exchange: str, key: Key, mark: str = "") -> dict[str, Any]:
    values = (account, exchange, key.kind.value, key.name, key.part)
    return {f"{mark}{name}": value for name, value in zip(_KEY, values, strict=True)}
