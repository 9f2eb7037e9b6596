"""A whole account in one process: a simulated Kraken without sockets, its connector, and everything that is kept.

Nothing of the program is replaced but the network and the clock. What dies with a process is made anew by ``open``.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from gal_friday.adapters.book_sql import SqlAdjustments, SqlBook
from gal_friday.adapters.clock import PlayedClock, RecordingClock, SteppedClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.kraken import NO_KEY, NO_SECRET, KrakenExchange, Player, Recorder
from gal_friday.adapters.recordings import SqlRecordings
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.answer import HttpRequest
from gal_friday.adapters.simulated.service import Service
from gal_friday.adapters.sql import open_engine
from gal_friday.adapters.store import SqlReviews, SqlStore
from gal_friday.adapters.store.leases import SqlLeases
from gal_friday.domain.aliases import Aliases
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import RECORD_KINDS, Fill, Movement, Order
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.lease import held
from gal_friday.flows.replay import Replayed, keep, recorded, replay
from gal_friday.flows.review import Desk
from gal_friday.flows.taped_repairs import repairs_of
from gal_friday.ports import clock as ports
from gal_friday.ports import exchange as exchanges
from gal_friday.ports.recordings import Conditions, Playing, Tape
from tests.contracts.adjusting import T0

ACCOUNT = "main"
BEGAN = T0 - timedelta(days=1)
Record = Fill | Movement | Order


class Market:
    """The account at the exchange, and its database."""

    def __init__(self, path: Path, clock: SteppedClock) -> None:
        """Open an account with money at the exchange; the database lies at *path*, and is empty."""
        self.path, self.clock = path, clock
        self.exchange = Exchange(clock.now, seed=7)
        self.exchange.open_account(ACCOUNT)
        for pair, price in {"XXBTZUSD": "60000", "XXRPZUSD": "2"}.items():
            self.exchange.set_price(pair, price)
        self.exchange.deposit(ACCOUNT, "ZUSD", "100000")
        self._key = self.exchange.issue_key(ACCOUNT, tier="pro")
        self._service = Service(self.exchange, enforce_limits=False)
        self._told: dict[str, Record] = {}
        self.open()

    def open(self) -> None:
        """Make everything that a process has in memory."""
        self.engine = open_engine(f"sqlite+aiosqlite:///{self.path}")
        journal = SqlJournal(self.path.parent, self.clock)
        self.book = SqlBook(self.engine, clock=self.clock)
        self.adjustments = SqlAdjustments(self.engine, clock=self.clock, journal=journal)
        self.desk = Desk(SqlStore(self.engine, journal), SqlReviews(self.engine, journal), self.clock)
        self.leases = SqlLeases(self.engine, clock=self.clock)
        self.recordings = SqlRecordings(self.engine)

    def kraken(self, recorder: Recorder | None = None) -> KrakenExchange:
        """Return the connector, which asks the simulated exchange in this very process."""
        return KrakenExchange(
            key=self._key.key,
            secret=self._key.secret,
            clock=self.clock,
            url="http://127.0.0.1",
            tier="none",
            state_folder=self.path.parent,
            http=httpx2.MockTransport(self._answer),
            recorder=recorder,
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = HttpRequest(
            request.method, request.url.path, request.url.query.decode(), headers, request.content
        )  # fmt: skip
        answer = self._service.answer(asked)
        return httpx2.Response(answer.status, content=answer.body, headers={"content-type": answer.content_type})

    async def news(self) -> Sequence[Record]:
        """Return what happened at the exchange since this was asked last: records that are new or have changed."""
        kraken, now = self.kraken(), self.clock.now()
        await kraken.open()
        fills = (await kraken.fills(since=BEGAN, until=now)).rows
        rows = (await kraken.movements(since=BEGAN, until=now)).rows
        orders = (await kraken.orders(since=BEGAN)).rows
        await kraken.close()
        records: tuple[Record, ...] = (*fills, *rows, *orders)
        every = {f"{type(one).__name__} {name_of(one)}": one for one in records}
        new = [one for name, one in every.items() if self._told.get(name) != one]
        self._told = every
        return new

    async def append(self, *records: Record) -> None:
        """Let the book hear of these."""
        await self.book.append(
            account=ACCOUNT,
            exchange="kraken",
            fills=[one for one in records if isinstance(one, Fill)],
            movements=[one for one in records if isinstance(one, Movement)],
            orders=[one for one in records if isinstance(one, Order)],
        )

    async def run(self, mode: Mode, *, owner: str = "a", adjustments: Any = None) -> ReconciliationReport:
        """Reconcile as the service does: under the lease, and with everything taken down.

        Raises:
            AccountBusy: somebody else holds the account.
        """
        tape = Tape()
        clock = RecordingClock(self.clock, tape)
        kraken = self.kraken(Recorder(tape, clock))
        sources = Sources(ACCOUNT, kraken, self.book, self.clock)
        async with held(self.leases, ACCOUNT, owner=owner, clock=_Asleep(self.clock)) as lease:
            repairing = Repairing(
                mode=mode, adjustments=adjustments or self.adjustments, desk=self.desk, token=lease.token
            )
            conditions = Conditions(
                program="1",
                account=ACCOUNT,
                exchange="kraken",
                since=BEGAN,
                only=RECORD_KINDS,
                policy=Policy(),
                aliases=Aliases(),
                repairs=repairs_of(repairing),
            )
            report = await recorded(
                sources, self.desk.store, tape, clock, conditions, stays=True, repairing=repairing
            )  # fmt: skip
            if report.status is not ReconciliationStatus.FAILED:
                await keep(self.recordings, report, tape, conditions)
        await kraken.close()
        return report

    async def replayed(self, name: str) -> Replayed | None:
        """Work a report out again; None where its run kept no recording."""
        packed, stored = await self.recordings.content(name), await self.recordings.written(name)
        if packed is None or stored is None:
            return None
        return await replay(packed, stored, reopened=_reopened, past=self.book)


def name_of(record: Record) -> str:
    """Return the id of a record."""
    match record:
        case Fill(fill_id=name) | Movement(movement_id=name):
            return name
        case Order():
            return record.name


class Ended(BaseException):
    """The process is gone."""


class Around:
    """Adjustments of a run to which something happens before or after it posts."""

    def __init__(self, adjustments: Any, *, before: Callable[..., Any] | None = None, ends: bool = False) -> None:
        self._adjustments, self._before, self._ends = adjustments, before, ends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adjustments, name)

    async def apply(self, name: str, *, token: int | None) -> Any:
        if self._before is not None:
            await self._before()
        outcome = await self._adjustments.apply(name, token=token)
        if self._ends:
            raise Ended
        return outcome


class _Asleep:
    """The clock of a lease that nothing has to keep alive: no run of this machine takes any time."""

    def __init__(self, clock: SteppedClock) -> None:
        self.now, self.monotonic = clock.now, clock.monotonic

    async def sleep(self, seconds: float) -> None:
        del seconds
        await asyncio.Event().wait()


def _reopened(playing: Playing) -> tuple[exchanges.Exchange, ports.Clock]:
    clock = PlayedClock(playing)
    player = Player(playing, clock)
    return KrakenExchange(key=NO_KEY, secret=NO_SECRET, clock=clock, tier="none", recorder=player), clock
