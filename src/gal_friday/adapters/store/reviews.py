"""Reviews in SQLite or PostgreSQL, and in memory.

A step, its change and its fact are one transaction (I10). Nothing here decides what a step leads to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.adapters.store import review_rows
from gal_friday.domain.facts import Fact
from gal_friday.domain.review import ReviewState
from gal_friday.domain.review_facts import fact_of
from gal_friday.domain.reviewed import Review, ReviewChange, Stepped
from gal_friday.ports.errors import StoreFailed


class SqlReviews:
    """``Reviews`` in a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, journal: Journalling | None = None) -> None:
        """Keep the engine, which whoever opened it disposes of, and the journal that every step is written to."""
        self._engine, self._journal = engine, journal

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        """Return those that somebody has touched; see ``Reviews``."""
        async with reading(self._engine, StoreFailed) as connection:
            return await review_rows.with_ids(connection, ids)

    async def not_closed(self, account: str) -> Sequence[Review]:
        """Return those that no run has closed; see ``Reviews``."""
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(await review_rows.not_closed(connection, account))

    async def changes(self, discrepancy_id: str) -> Sequence[ReviewChange]:
        """Return every change, oldest first; see ``Reviews``."""
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(await review_rows.changes_of(connection, discrepancy_id))

    async def save(self, steps: Sequence[Stepped]) -> None:
        """Write these steps or none of them; see ``Reviews``."""
        if not steps:
            return
        async with writing(self._engine, StoreFailed) as connection:
            await review_rows.write(connection, steps)
            if self._journal is not None:
                # Last: it holds the journal until the commit.
                await self._journal.append(connection, [fact_of(step.change) for step in steps])


class MemoryReviews:
    """``Reviews`` that forget."""

    def __init__(self, journal: Callable[[Sequence[Fact]], object] | None = None) -> None:
        """Begin empty. *journal* takes the facts of every step."""
        self._journal = journal
        self._reviews: dict[str, Review] = {}
        self._changes: dict[str, list[ReviewChange]] = {}

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        """Return those that somebody has touched; see ``Reviews``."""
        return {name: self._reviews[name] for name in ids if name in self._reviews}

    async def not_closed(self, account: str) -> Sequence[Review]:
        """Return those that no run has closed; see ``Reviews``."""
        found = (one for one in self._reviews.values() if one.account == account)
        still = (one for one in found if one.state is not ReviewState.CLOSED)
        return tuple(sorted(still, key=lambda one: one.discrepancy_id))

    async def changes(self, discrepancy_id: str) -> Sequence[ReviewChange]:
        """Return every change, oldest first; see ``Reviews``."""
        return tuple(self._changes.get(discrepancy_id, ()))

    async def save(self, steps: Sequence[Stepped]) -> None:
        """Keep these steps or none of them; see ``Reviews``."""
        if not steps:
            return
        review_rows.check_next(steps, {name: review.revision for name, review in self._reviews.items()})
        if self._journal is not None:
            self._journal([fact_of(step.change) for step in steps])
        for step in steps:
            name = step.review.discrepancy_id
            self._reviews[name] = step.review
            self._changes.setdefault(name, []).append(step.change)
