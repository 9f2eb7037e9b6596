"""Books that are kept elsewhere, put together from the settings: where their repairs are handed over."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, assert_never, cast

from gal_friday.adapters.book_http import Deadlines, HttpReceiver, UnusableAddress
from gal_friday.adapters.book_table import TableReceiver
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.sql.engine import open_engine
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.secrets import resolve
from gal_friday.bootstrap.settings import AccountSettings, BookInFile, EmbeddedBook, HttpWriter, Settings, TableWriter
from gal_friday.bootstrap.wire import OpenStore, account_of
from gal_friday.domain.adjusted import Outcome
from gal_friday.domain.adjustment import Adjustment
from gal_friday.flows.lease import held
from gal_friday.ports.adjustments import Adjustments
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.receiver import Receiver


@asynccontextmanager
async def receiver_of(account: str, configured: AccountSettings) -> AsyncIterator[Receiver | None]:
    """Give what takes repairs for this account's book, for as long as the block runs; None where nothing does.

    Raises:
        BadConfiguration: its address or its secret cannot be used.
    """
    writer = configured.book.writer if isinstance(configured.book, BookInFile) else None
    match writer:
        case None:
            yield None
        case HttpWriter():
            receiver = _over_http(account, writer)
            try:
                yield receiver
            finally:
                await receiver.aclose()
        case TableWriter():
            setting = f"accounts.{account}.book.writer.database"
            secret = resolve(writer.database, setting=setting)
            try:
                engine = open_engine(secret.reveal())
            except StoreFailed as wrong:
                raise BadConfiguration(f"{setting}: {wrong}") from None
            try:
                yield TableReceiver(
                    engine, writer.table, clock=SystemClock(), wait_seconds=float(writer.timeout_seconds)
                )  # fmt: skip
            finally:
                await engine.dispose()
        case _:
            assert_never(writer)


def _over_http(account: str, writer: HttpWriter) -> HttpReceiver:
    setting = f"accounts.{account}.book.writer"
    token = resolve(writer.token, setting=f"{setting}.token")
    try:
        deadlines = Deadlines(total=float(writer.timeout_seconds))
        return HttpReceiver(writer.url, token=token.reveal(), deadlines=deadlines)
    except UnusableAddress as wrong:
        raise BadConfiguration(f"{setting}: {wrong}") from None


@asynccontextmanager
async def adjustments_of(settings: Settings, account: str, opened: OpenStore) -> AsyncIterator[Adjustments | None]:
    """Give the adjustments of this account, wherever its book is kept; None where nothing can be posted to it."""
    configured = account_of(settings, account)[1]
    if isinstance(configured.book, EmbeddedBook):
        yield opened.adjustments
        return
    async with receiver_of(account, configured) as receiver:
        yield None if receiver is None else opened.handing_over(receiver)


class EveryBook:
    """The adjustments of all accounts: kept in one place, each posted to its own book. An ``Adjustments``."""

    def __init__(self, settings: Settings, opened: OpenStore, *, owner: str) -> None:
        """Keep them, and the name under which an account is held while something is handed over."""
        self._settings, self._opened, self._owner = settings, opened, owner

    def __getattr__(self, name: str) -> Any:
        """Keeping and deciding are the same for every book."""
        return getattr(self._opened.adjustments, name)

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        """Post it to its book; see ``Adjustments``.

        Raises:
            AccountBusy: a run works on the account now; it stays approved.
            BadConfiguration: nothing can be handed over to its book any more.
        """
        account = await self._account_of(adjustment_id)
        if account is None or self._is_here(account):
            # The book's own lock and the adjustment's state keep it from being posted twice.
            return await self._opened.adjustments.apply(adjustment_id, token=token)
        leases, clock = self._opened.leases, SystemClock()
        async with (
            held(leases, account, owner=self._owner, clock=clock) as lease,
            adjustments_of(self._settings, account, self._opened) as there,
        ):
            return await _there(there, account).apply(adjustment_id, token=lease.token)

    async def apply_all(self, adjustment_ids: Sequence[str], *, token: int | None) -> Sequence[Outcome]:
        """Post several, one after the other; see ``Adjustments``."""
        return [await self.apply(name, token=token) for name in adjustment_ids]

    async def reversal(self, adjustment_id: str, *, reason: str, reconciliation_id: str = "") -> Adjustment:
        """Return what takes it back; see ``Adjustments``."""
        account = await self._account_of(adjustment_id)
        more: dict[str, Any] = {"reason": reason, "reconciliation_id": reconciliation_id}
        if account is None or self._is_here(account):
            return await self._opened.adjustments.reversal(adjustment_id, **more)
        async with adjustments_of(self._settings, account, self._opened) as there:
            return await _there(there, account).reversal(adjustment_id, **more)

    async def _account_of(self, adjustment_id: str) -> str | None:
        kept = await self._opened.adjustments.adjustment(adjustment_id)
        return None if kept is None else kept.adjustment.account

    def _is_here(self, account: str) -> bool:
        configured = self._settings.accounts.get(account)
        return configured is None or isinstance(configured.book, EmbeddedBook)


def every_book(settings: Settings, opened: OpenStore, *, owner: str) -> Adjustments:
    """Return the adjustments of all accounts, each posted to its own book."""
    return cast("Adjustments", EveryBook(settings, opened, owner=owner))


def _there(adjustments: Adjustments | None, account: str) -> Adjustments:
    if adjustments is None:
        raise BadConfiguration(
            f"the book of account {account} is kept elsewhere, and nothing says how repairs reach it; "
            f"set [accounts.{account}.book.writer], or post it in your own system"
        )
    return adjustments
