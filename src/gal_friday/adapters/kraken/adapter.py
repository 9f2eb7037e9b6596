"""Kraken, spot and margin, behind the ``Exchange`` port. It reads and cannot do anything else (I8).

Every method returns a reading whose coverage is TOTAL only where that is proven, or raises one of the
errors of ``ports/errors.py``. Read the ledger before the fills: fills then carry their true fees, and
each list is held against the other.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from gal_friday.adapters.kraken import preflight
from gal_friday.adapters.kraken.client import Client
from gal_friday.adapters.kraken.crosscheck import Window
from gal_friday.adapters.kraken.key import KeyEnds, refuse_rights_to_act
from gal_friday.adapters.kraken.listing import KnownNames
from gal_friday.adapters.kraken.namefile import NameFile
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.opening import ask_about_key, clock_offset, listed_names, refuse_maintenance
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.prices import last_prices
from gal_friday.adapters.kraken.read_by_id import newest_row, read_by_id
from gal_friday.adapters.kraken.read_history import FillsRead, LedgerRead, read_fills, read_movements
from gal_friday.adapters.kraken.read_orders import read_orders
from gal_friday.adapters.kraken.read_state import read_balances, read_positions
from gal_friday.adapters.kraken.recorded import Player, Recorder
from gal_friday.adapters.kraken.session import Session
from gal_friday.adapters.kraken.signing import Credentials
from gal_friday.adapters.kraken.trail import KeepRaw
from gal_friday.adapters.kraken.transport import Deadlines, Transport
from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, Position
from gal_friday.domain.snapshot import Coverage, Scales
from gal_friday.ports.clock import Clock
from gal_friday.ports.exchange import Calls, Capabilities, Check, Progress, Reading

BASE_URL = "https://api.kraken.com"


class KrakenExchange:
    """One Kraken account, through one read-only key."""

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        clock: Clock,
        otp: str | None = None,
        url: str = BASE_URL,
        tier: str = "starter",
        state_folder: Path | None = None,
        allow_trading_key: bool = False,
        known: KnownNames | None = None,
        deadlines: Deadlines | None = None,
        patience: Patience | None = None,
        proxy: str | None = None,
        keep_raw: KeepRaw | None = None,
        progress: Progress | None = None,
        http: httpx2.AsyncBaseTransport | None = None,
        recorder: Recorder | Player | None = None,
        calls: Calls | None = None,
        stream: bool = False,
    ) -> None:
        """Make no call yet.

        *otp* is a static second factor. *state_folder* keeps the last nonce, a lockout and the call counter
        of each key, and every name that was ever listed; without it they do not outlive the process. *known* are
        names of earlier days, from ``known_names``. *keep_raw* is given every raw answer that was used. *http*
        replaces the network, for tests. *calls* is told of every call. *recorder* takes down every answer that was
        used, or gives the answers of a recording. *stream*: the account's stream is listened to as well, so
        ``preflight`` looks at it.

        Raises:
            ExchangeRefused: the key is unusable, or *url* would send it over an open line.
            UnknownTier: *tier* is none of starter, intermediate, pro, none.
        """
        credentials = Credentials(key, secret, otp)
        transport = Transport(url, deadlines=deadlines or Deadlines(), proxy=proxy, http=http)
        client = Client(
            credentials,
            transport,
            clock,
            tier=tier,
            state_dir=state_folder,
            patience=patience,
            progress=progress,
            calls=calls,
        )
        # How long calls wait and when they are tried again is no part of a report: only what is read here is.
        self._client = client if recorder is None else recorder.around(client, key)
        self._api_key = key
        self._clock = clock if recorder is None else recorder.clock
        self._tier = tier
        self._allow_trading_key = allow_trading_key
        self._stream = stream
        self._known = known
        self._names = None if state_folder is None else NameFile(state_folder, url)
        self._recorder = recorder
        self._keep_raw = keep_raw
        self._progress = progress
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._ledger: LedgerRead | None = None
        self._fills: FillsRead | None = None

    @property
    def name(self) -> str:
        """``kraken``."""
        return "kraken"

    @property
    def capabilities(self) -> Capabilities:
        """Everything, and a running balance; after ``open`` the offset of Kraken's clock, to the second."""
        offset = timedelta(0) if self._session is None else self._session.offset
        return Capabilities(running_balance=True, clock_offset=offset)

    @property
    def key_ends(self) -> KeyEnds:
        """Until when the key is valid; after ``open``, and only where the key can be asked about itself."""
        key = None if self._session is None else self._session.key
        return KeyEnds(known=key is not None, at=None if key is None else key.valid_until)

    @property
    def known_names(self) -> KnownNames:
        """Every asset and pair ever seen by this object or told to it: worth keeping for the next one."""
        if self._session is not None:
            return self._session.names.known
        kept = KnownNames() if self._names is None else self._names.load()
        return kept.with_newer(self._known or KnownNames())

    async def open(self) -> None:
        """Learn names and rights, and check that the exchange is up. May be called again to learn new names.

        Raises:
            ExchangeRefused: the key may do more than read, is wrong, or the answer is about another key.
            ExchangeUnavailable: the exchange is down or in maintenance, or the key is locked out.
        """
        await refuse_maintenance(self._client)
        offset = await clock_offset(self._client, self._clock)
        key = await ask_about_key(self._client, self._api_key)
        if key is not None and not self._allow_trading_key:
            refuse_rights_to_act(key)
        listed = await listed_names(self._client)
        gone = self.known_names.without(listed)
        names = Names(listed, gone if self._recorder is None else self._recorder.gone(gone))
        if self._names is not None:
            self._names.keep(names.known)
        self._session = Session(
            client=self._client,
            clock=self._clock,
            names=names,
            key=key,
            offset=offset,
            keep_raw=self._keep_raw,
            progress=self._progress,
        )

    async def close(self) -> None:
        """Close the connections. Safe to call twice; a later read opens new ones."""
        await self._client.close()

    async def scales(self) -> Scales:
        """Return how many digits Kraken keeps, by asset (ledger) and by instrument (cost)."""
        return (await self._ready()).names.scales()

    async def balances(self) -> Reading[Balance]:
        """Return every balance, zero ones included, one row per asset and wallet, ordered by both.

        Source: Kraken REST documentation, Get Extended Balance.
        """
        return await read_balances(await self._ready())

    async def positions(self) -> Reading[Position]:
        """Return the open lots, ordered by instrument and id; sizes are signed.

        Partial where list and trade balance contradict each other, or the trade balance cannot be read.
        Source: Kraken REST documentation, Get Open Positions, Get Trade Balance.
        """
        return await read_positions(await self._ready())

    async def orders(self, *, since: datetime, known: Sequence[str] = ()) -> Reading[Order]:
        """Return all open orders, those closed after *since*, and every one of *known* that exists.

        Ids of *known* that Kraken does not know are named in the notes.
        """
        return await read_orders(await self._ready(), since=since, known=known)

    async def fills(self, *, since: datetime, until: datetime) -> Reading[Fill]:
        """Return every fill after *since* up to *until*, oldest first, adjacent fills not merged.

        After ``movements`` of the same time, fees are those of the ledger; before, they are unknown.
        """
        session = await self._ready()
        reading = await read_fills(session, since=since, until=until, ledger=self._ledger)
        # Each list is held against the other once; nothing of this run is kept for the next.
        self._fills = FillsRead(Window(since, until), reading.rows) if self._ledger is None else None
        self._ledger = None
        return reading

    async def movements(self, *, since: datetime, until: datetime) -> Reading[Movement]:
        """Return every ledger row after *since* up to *until*, oldest first, with its running balance.

        TOTAL means that the running balances prove that no row between two others is missing.
        """
        session = await self._ready()
        reading = await read_movements(session, since=since, until=until, fills=self._fills)
        complete = reading.coverage is Coverage.TOTAL
        ledger = LedgerRead(Window(since, until), reading.rows, complete)
        self._ledger = ledger if self._fills is None else None
        self._fills = None
        return reading

    async def head(self) -> str | None:
        """Return the id of the newest ledger row, or None for an empty ledger."""
        return await newest_row(await self._ready())

    async def confirm(self, kind: Kind, ids: Sequence[str]) -> Reading[Any]:
        """Return those orders, fills or movements of *ids* that exist, each asked for by its id; see the port."""
        return await read_by_id(await self._ready(), kind, ids)

    async def prices(self, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
        """Return last prices in *currency*, directly or over USD, EUR or USDT; others are left out."""
        return await last_prices(await self._ready(), assets, currency=currency)

    async def preflight(self) -> tuple[Check, ...]:
        """Return what was found about status, clock, key and budget. Never raises for a finding."""
        return await preflight.preflight(
            self._client,
            self._clock,
            api_key=self._api_key,
            tier=self._tier,
            allow_trading_key=self._allow_trading_key,
            stream=self._stream,
        )

    async def _ready(self) -> Session:
        async with self._opening:
            if self._session is None:
                await self.open()
        assert self._session is not None, "open() makes the session or raises"
        return self._session
