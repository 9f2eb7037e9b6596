"""What can happen at the exchange of the machine's account, and what can go wrong on the way to its book."""

import asyncio
import atexit
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from msgspec.structs import replace

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.roll_up import roll_up
from gal_friday.domain.snapshot import Snapshot
from tests.domain.build import exchange, fill, movement, order

FILLS = (
    fill("T1", "100", "0.5", order_id="O1", fee="0.05", fee_asset="USD", minute=-90),
    fill("T2", "40", "0.6", order_id="O2", fee="0.03", fee_asset="USD", minute=-60),
    fill("T3", "25", "0.7", side="sell", order_id="O3", fee="0.02", fee_asset="USD", minute=-30),
)
CASH = (
    movement("L0", "1000", "USD", kind="deposit", minute=-120),
    movement("L7", "12.5", "XRP", kind="reward", minute=-45),
    movement("L9", "5", "USD", kind="reward", minute=-20),
)
TRUE: tuple[Fill | Movement, ...] = (*FILLS, *CASH)
WRONG: tuple[Fill | Movement, ...] = (
    replace(FILLS[0], quantity=Decimal(101)),
    replace(FILLS[2], fee=Decimal("0.2")),
    replace(CASH[1], amount=Decimal("1.25")),
    movement("L0x", "1000", "USD", kind="deposit", minute=-120),
    fill("X1", "3", "0.5", order_id="OX", fee="0", fee_asset="USD", minute=-15),
)
PRICES = {"XRP": Decimal("0.6"), "USD": Decimal(1)}


def truth_of(happened: Sequence[Fill | Movement], now: datetime) -> Snapshot:
    """Return the exchange, whose ledger has rows of its own for every fill."""
    fills = [one for one in happened if isinstance(one, Fill)]
    cash = [one for one in happened if isinstance(one, Movement)]
    rows = [replace(leg, movement_id=f"R{leg.movement_id}", kind="trade") for leg in roll_up(fills=fills).legs]
    rolled = roll_up(fills=fills, movements=(*cash, *rows))
    return replace(exchange(*rolled.balances, *_orders(fills), *fills, *cash, *rows), as_of=now)


@cache
def empty_database() -> Path:
    """Return the file of a database with all tables, made once."""
    path = Path(mkdtemp(prefix="gal-friday-machine-")) / "empty.db"
    atexit.register(rmtree, path.parent)

    async def make() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{path}")
        await upgrade(engine)
        await engine.dispose()

    asyncio.run(make())
    return path


def name_of(record: Fill | Movement) -> str:
    """Return the id of a record."""
    return record.fill_id if isinstance(record, Fill) else record.movement_id


def _orders(fills: list[Fill]) -> list[Order]:
    return [
        order(str(done.order_id), status="filled", quantity=str(done.quantity), filled=str(done.quantity))
        for done in fills
    ]
