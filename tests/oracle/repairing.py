"""The product lets a book be repaired against an exchange that stands still; in and out go snapshot files."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gal_friday import Policy, Snapshot, read_snapshot, write_snapshot
from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, Position
from gal_friday.domain.snapshot import Coverage, Scales
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.review import Desk
from gal_friday.ports.exchange import Capabilities, Check, Reading
from tests.oracle.naive import LEGS, Side
from tests.oracle.product import PRICES
from tests.oracle.worlds import OPENING, T0, written

RUNS = 4
"""Enough to post what needs no second look, to confirm what is left, and to see that it agrees."""


def repaired(ours: Side, theirs: Side) -> Side:
    """Return the book as it stands after some runs that may repair it."""
    return asyncio.run(_repaired(_read(ours), _read(theirs)))


def _read(side: Side) -> Snapshot:
    return read_snapshot(json.dumps(side).encode(), source=side["side"])


async def _repaired(ours: Snapshot, theirs: Snapshot) -> Side:
    clock = SteppedClock(start=T0)
    book = MemoryBook(clock=clock)
    # What a fill moved follows from the fill; rows of its own would stand for it.
    rows = [row for row in ours.movements if row.kind not in LEGS]
    assets = {row.asset for row in theirs.balances}
    await book.append(account="main", exchange="kraken", movements=[_opening(asset) for asset in sorted(assets)])
    await book.append(account="main", exchange="kraken", fills=ours.fills, movements=rows, orders=ours.orders)
    desk, adjustments = Desk(MemoryStore(), MemoryReviews(), clock), MemoryAdjustments(book, clock=clock)
    for _ in range(RUNS):
        clock.advance(600)
        await reconcile(
            Sources("main", StandingStill(theirs), book, clock),
            desk.store,
            policy=Policy(),
            since=clock.now() - timedelta(hours=24),
            repairing=Repairing(mode=Mode.ENFORCE, adjustments=adjustments, desk=desk),
        )
    held = await book.snapshot(account="main", since=T0 - timedelta(days=60), scales=Scales())
    told: Side = json.loads(write_snapshot(held))
    return told


def _opening(asset: Asset) -> Movement:
    at = T0 - timedelta(days=30)
    return Movement(f"opening-{asset}", "opening", asset, Wallet.SPOT, Decimal(written(OPENING)), at)


class StandingStill:
    """An exchange that always says the same."""

    name = "kraken"
    capabilities = Capabilities()

    def __init__(self, said: Snapshot) -> None:
        """Say what this snapshot says."""
        self._said = said

    async def open(self) -> None:
        """Be ready."""

    async def close(self) -> None:
        """Hold nothing."""

    async def scales(self) -> Scales:
        """Round nothing."""
        return Scales()

    async def balances(self) -> Reading[Balance]:
        """Return every balance."""
        return _all(self._said.balances)

    async def positions(self) -> Reading[Position]:
        """Return every position."""
        return _all(self._said.positions)

    async def orders(self, *, since: datetime, known: Sequence[str] = ()) -> Reading[Order]:
        """Return every order."""
        return _all(self._said.orders)

    async def fills(self, *, since: datetime, until: datetime) -> Reading[Fill]:
        """Return every fill."""
        return _all(self._said.fills)

    async def movements(self, *, since: datetime, until: datetime) -> Reading[Movement]:
        """Return every movement."""
        return _all(self._said.movements)

    async def head(self) -> str | None:
        """Return the newest row."""
        return self._said.movements[-1].movement_id if self._said.movements else None

    async def confirm(self, kind: Kind, ids: Sequence[str]) -> Reading[Any]:
        """Return those of these records that exist."""
        names = {Kind.ORDERS: "order_id", Kind.FILLS: "fill_id", Kind.MOVEMENTS: "movement_id"}
        return _all(tuple(row for row in self._said.rows(kind) if getattr(row, names[kind]) in ids))

    async def prices(self, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
        """Return what is worth what."""
        return {asset: PRICES[asset] for asset in assets if asset in PRICES}

    async def preflight(self) -> tuple[Check, ...]:
        """Look at nothing."""
        return ()


def _all(rows: tuple[Any, ...]) -> Reading[Any]:
    return Reading(rows=rows, coverage=Coverage.TOTAL)
