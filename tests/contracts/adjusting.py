"""A book and its adjustments, of each kind, and the little that tests say about them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook, SqlAdjustments, SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Applied, By, Kept, Outcome, Refused
from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentState,
    AdjustmentType,
    Effect,
    Plug,
    PostFill,
    Posting,
    PostMovement,
    TakeBack,
    adjustment_id,
)
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill, Kind, Movement, OrderSide
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.book import Appended
from tests.postgres.databases import Databases

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
CUT = T0 + timedelta(minutes=30)
POLICY = By("policy", "policy")
ANN, BOB = By("ann"), By("bob")


class Desk(Struct):
    """One book and the adjustments of it."""

    book: SqlBook | MemoryBook
    adjustments: SqlAdjustments | MemoryAdjustments
    clock: SteppedClock
    engine: AsyncEngine | None = None

    async def append(self, *, fills: tuple[Fill, ...] = (), movements: tuple[Movement, ...] = ()) -> Appended:
        return await self.book.append(account="main", exchange="kraken", fills=fills, movements=movements)

    async def look(self) -> Snapshot:
        return await self.book.snapshot(account="main", since=T0 - timedelta(days=9), scales=Scales())

    async def totals(self) -> dict[str, str]:
        return {row.asset: quantity.short(row.total) for row in (await self.look()).balances if row.total}

    async def positions(self) -> dict[str, str]:
        return {row.instrument: quantity.short(row.quantity) for row in (await self.look()).positions if row.quantity}

    async def made(self, *postings: Posting, effects: dict[str, str], **more: Any) -> Adjustment:
        return adjustment(*postings, effects=effects, version=await self.book.version("main") or "0", **more)

    async def approved(self, made: Adjustment) -> Kept:
        (kept,) = await self.adjustments.keep([made], state=AdjustmentState.APPROVED, by=POLICY)
        return kept

    async def apply(self, *postings: Posting, effects: dict[str, str], **more: Any) -> Outcome:
        made = await self.made(*postings, effects=effects, **more)
        await self.approved(made)
        return await self.adjustments.apply(made.adjustment_id, token=None)

    async def applied(self, *postings: Posting, effects: dict[str, str], **more: Any) -> Applied:
        outcome = await self.apply(*postings, effects=effects, **more)
        assert isinstance(outcome, Applied), outcome
        return outcome

    async def refused(self, *postings: Posting, effects: dict[str, str], **more: Any) -> str:
        before = await self.look()
        outcome = await self.apply(*postings, effects=effects, **more)
        assert isinstance(outcome, Refused), outcome
        assert await self.look() == before
        return outcome.reason

    async def take_back(self, name: str) -> Outcome:
        back = await self.adjustments.reversal(name, reason="it was wrong")
        await self.approved(back)
        return await self.adjustments.apply(back.adjustment_id, token=None)

    async def state(self, name: str) -> str:
        kept = await self.adjustments.adjustment(name)
        assert kept is not None
        return kept.state


@asynccontextmanager
async def desk(kind: str, folder: Path, databases: Databases | None) -> AsyncIterator[Desk]:
    clock = SteppedClock(T0 + timedelta(hours=1))
    if kind == "memory":
        book = MemoryBook(clock=clock)
        yield Desk(book, MemoryAdjustments(book, clock=clock), clock)
        return
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{folder / 'book.db'}")
            await upgrade(engine)
        else:
            assert databases is not None
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        stack.push_async_callback(engine.dispose)
        yield Desk(SqlBook(engine, clock=clock), SqlAdjustments(engine, clock=clock), clock, engine)


def adjustment(
    *postings: Posting,
    effects: dict[str, str],
    version: str = "0",
    generation: str = "",
    at: datetime = CUT,
    value: str | None = None,
) -> Adjustment:
    kind = AdjustmentType.BALANCE if isinstance(postings[0], Plug) else AdjustmentType.BOOK_FILL
    return Adjustment(
        adjustment_id=adjustment_id("main", "kraken", postings, generation),
        account="main",
        exchange="kraken",
        type=kind,
        postings=postings,
        discrepancies=("dis_1",),
        keys=tuple(sorted(effects)),
        effects=tuple(Effect(key, Decimal(0), Decimal(change)) for key, change in sorted(effects.items())),
        record_ids=(),
        cause="missed_fill",
        reason="a fill never reached the book",
        value=None if value is None else Decimal(value),
        reconciliation_id="rec_1",
        book_version=version,
        at=at,
    )


def fill(
    fill_id: str = "T1",
    amount: str = "40",
    *,
    price: str = "0.5",
    fee: str | None = "1",
    margin: bool = False,
    side: str = "buy",
    minute: int = 0,
) -> Fill:
    return Fill(
        fill_id,
        Instrument("XRP/USD"),
        OrderSide(side),
        Decimal(amount),
        Decimal(price),
        T0 + timedelta(minutes=minute),
        fee=None if fee is None else Decimal(fee),
        fee_asset=Asset("USD"),
        margin=margin,
    )


def movement(name: str = "L1", asset: str = "XRP", amount: str = "3", *, minute: int = 0) -> Movement:
    return Movement(name, "deposit", Asset(asset), Wallet.SPOT, Decimal(amount), T0 + timedelta(minutes=minute))


def legs(names: tuple[str, str] = ("L1", "L2"), of: str = "T1") -> tuple[Movement, Movement]:
    """Return the ledger rows of ``fill()``."""
    xrp = Movement(names[0], "trade", Asset("XRP"), Wallet.SPOT, Decimal(40), T0, refers_to=of)
    usd = Movement(names[1], "trade", Asset("USD"), Wallet.SPOT, Decimal(-20), T0, fee=Decimal(1), refers_to=of)
    return xrp, usd


FILL_EFFECTS = {"balances:XRP:spot": "40", "balances:USD:spot": "-21"}
WHOLE_FILL: tuple[Posting, ...] = (PostFill(fill()), *(PostMovement(row) for row in legs()))


def plug(amount: str, name: str = "XRP", *, kind: Kind = Kind.BALANCES, price: str | None = None) -> Plug:
    part = "spot" if kind is Kind.BALANCES else "net"
    return Plug(kind, name, part, Decimal(amount), None if price is None else Decimal(price))


def back(name: str, entries: int = 1, of: int = 1, *, kind: Kind = Kind.FILLS) -> TakeBack:
    return TakeBack(kind, name, entries, of)
