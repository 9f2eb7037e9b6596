"""What a writer of ours asks of the journal: take these facts, in the transaction that I have begun.

Stores and books stand on it without knowing the journal behind it. Nothing here writes.
"""

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.domain.facts import Fact


class Journalling(Protocol):
    """Takes facts into the journal."""

    async def append(self, connection: AsyncConnection, facts: Iterable[Fact]) -> object:
        """Write the facts in this order, in the transaction of whoever calls, as the last thing it does (I10).

        It waits for whoever else is writing to the journal, and holds it until the transaction ends: whatever
        else needs a lock takes it before.

        Raises:
            StoreFailed: the facts cannot be sealed; the transaction must not be committed.
            MalformedFact: a fact holds what cannot be written exactly.
        """
        ...
