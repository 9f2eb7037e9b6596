"""Ways to break the program in a worker, so that it shows that the rounds find them."""

from collections.abc import Callable, Sequence
from typing import Any

from gal_friday.adapters.book_sql import SqlAdjustments, SqlBook
from gal_friday.adapters.book_sql.application import Application
from gal_friday.adapters.sql.engine import writing
from gal_friday.domain.adjusted import Kept
from gal_friday.ports.errors import StoreFailed
from gal_friday.service.tell import Teller
from tests.crash import jobs


def journal_apart() -> None:
    """The journal hears of what was written in a transaction of its own."""

    async def applied(self: Any, ids: Sequence[str], token: int | None) -> list[Any]:
        async with writing(self._engine, StoreFailed) as connection:
            application = Application(connection, "main", self._clock.now())
            await application.write(ids, token)
        async with writing(self._engine, StoreFailed) as connection:
            await self._tell(connection, application.told)
        known = application.outcomes
        read = iter(await self._confirmed([name for name in ids if name not in known]))
        return [known[name] if name in known else next(read) for name in ids]

    SqlAdjustments._applied = applied  # type: ignore[method-assign]


def applied_twice() -> None:
    """Nobody looks whether it was written already."""

    async def settle(self: Any, account: str, **told: Any) -> list[Kept]:
        return []

    def waiting(self: Any, ids: Sequence[str]) -> list[Kept]:
        return [self._current[name] for name in ids]

    SqlAdjustments.settle = settle  # type: ignore[method-assign]
    Application._waiting = waiting  # type: ignore[method-assign]


def rows_one_by_one() -> None:
    """A delivery is not one transaction but one for each kind of record."""
    whole = SqlBook.append

    async def append(self: Any, *, account: str, exchange: str, **records: Sequence[Any]) -> Any:
        done = None
        for kind, some in records.items():
            done = await whole(self, account=account, exchange=exchange, **{kind: some})
        return done

    SqlBook.append = append  # type: ignore[method-assign]


def acknowledged_early() -> None:
    """A call returns although nothing was written."""

    async def append(self: Any, **records: Any) -> None:
        return None

    SqlBook.append = append  # type: ignore[method-assign, assignment]


def left_untold() -> None:
    """What was decided just before a crash never reaches the reviews."""

    async def complete(*_: object) -> tuple[()]:
        return ()

    jobs.complete = complete  # type: ignore[attr-defined, assignment]


def marked_before_it_was_sent() -> None:
    """What has to be told is noted as taken, and sent after that."""

    async def attempt(self: Any, channel: Any, delivery: Any) -> None:
        await self._watch.alerts.delivered(delivery, self._clock.now())
        await self._send(channel, delivery.notice)

    Teller._attempt = attempt  # type: ignore[method-assign]


BREAKS: dict[str, Callable[[], None]] = {
    "journal_apart": journal_apart,
    "applied_twice": applied_twice,
    "rows_one_by_one": rows_one_by_one,
    "acknowledged_early": acknowledged_early,
    "left_untold": left_untold,
    "marked_before_it_was_sent": marked_before_it_was_sent,
}
