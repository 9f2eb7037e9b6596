"""A database that cannot be written to any more: no page is left, its files may not grow, or it may only be read.

These are SQLite's and the system's own limits, set from outside; the program itself knows nothing of them.
"""

import resource
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


def limit(engine: AsyncEngine, asked: Mapping[str, Any]) -> None:
    """Set the limits that a life was asked for: ``pages`` and ``bytes`` to grow by, and ``read_only``."""
    if "bytes" in asked:
        # Whatever this process writes to a file: the log that SQLite writes before the database, most of all.
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["bytes"], most))
    if "pages" not in asked and "read_only" not in asked:
        return

    @event.listens_for(engine.sync_engine, "connect")
    def settle(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        if "pages" in asked:
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + asked['pages']}")
        if "read_only" in asked:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()
