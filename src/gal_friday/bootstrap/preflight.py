"""Everything that a run needs, looked at one by one: before the first run, and on demand while a service runs.

It asks the exchange and the book; it changes nothing.
"""

import asyncio
from datetime import timedelta

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.elsewhere import receiver_of
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.settings import AccountSettings, Settings
from gal_friday.bootstrap.wire import OpenStore, book_of, exchange_of, state_folder
from gal_friday.domain.snapshot import Scales
from gal_friday.flows.vitals import KeyLooked
from gal_friday.ports.errors import BookFailed, ExchangeFailed
from gal_friday.ports.exchange import Check, Exchange

_WORTH_SECONDS = 60
"""Whoever asks within this time gets the last look: each costs calls of the key's budget."""


async def checks_of(name: str, settings: Settings, exchange: Exchange, store: OpenStore | None) -> tuple[Check, ...]:
    """Return what was found at the book, at what writes to it, and at the exchange; a finding never raises."""
    book = _no_book() if store is None else await _book(name, settings.accounts[name], store, settings)
    looked = (book, *await _writer(name, settings.accounts[name]))
    try:
        return (*looked, *await exchange.preflight())
    except ExchangeFailed as failure:
        return (*looked, Check("exchange", "failed", str(failure)))


class Preflights:
    """The last look at each account, and one more where it is too old."""

    def __init__(self, settings: Settings, store: OpenStore) -> None:
        """Begin with none."""
        self._settings, self._store = settings, store
        self._last: dict[str, KeyLooked] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def last(self, account: str) -> KeyLooked | None:
        """Return the last look; None where nobody looked since this began."""
        return self._last.get(account)

    async def look(self, account: str) -> KeyLooked:
        """Look, or return the last look where that was a moment ago."""
        async with self._locks.setdefault(account, asyncio.Lock()):
            last, now = self._last.get(account), system_clock().now()
            if last is None or not 0 <= (now - last.at).total_seconds() < _WORTH_SECONDS:
                last = self._last[account] = KeyLooked(at=now, checks=await self._looked(account))
            return last

    async def _looked(self, account: str) -> tuple[Check, ...]:
        settings = self._settings
        try:
            exchange = exchange_of(account, settings.accounts[account], state_folder(settings))
        except BadConfiguration as error:
            return (Check("configuration", "failed", str(error)),)
        try:
            return await checks_of(account, settings, exchange, self._store)
        finally:
            await exchange.close()


def _no_book() -> Check:
    return Check("book", "warning", "not looked at: there is no database to look in")


async def _book(name: str, configured: AccountSettings, store: OpenStore, settings: Settings) -> Check:
    since = system_clock().now() - timedelta(hours=settings.reconciliation.lookback_hours)
    try:
        held = await book_of(name, configured, store).snapshot(account=name, since=since, scales=Scales())
    except BookFailed as failure:
        return Check("book", "failed", str(failure))
    gaps = "; ".join(dict.fromkeys(gap.reason for gap in held.not_checked))
    return Check("book", "warning" if gaps else "ok", gaps or f"readable, {len(held.balances)} balances")


async def _writer(name: str, configured: AccountSettings) -> tuple[Check, ...]:
    """Say whether repairs reach a book that is kept elsewhere; nothing is written to find out."""
    async with receiver_of(name, configured) as receiver:
        if receiver is None:
            return ()
        try:
            return (Check("writer", "ok", await receiver.check()),)
        except BookFailed as failure:
            return (Check("writer", "failed", str(failure)),)
