"""Random small worlds: two sides that share some records, lack some, and disagree on some.

Names are few and amounts are small, so that keys meet, collide and repeat often.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import (
    ORDER_STATUSES,
    Balance,
    Fill,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
    Record,
)
from gal_friday.domain.snapshot import Coverage, Coverages, Since, Snapshot
from tests.domain.build import ALL, T0, exchange, internal

Pair = tuple[Snapshot, Snapshot]

assets = st.sampled_from(["BTC", "XRP", "USD", "?XFOO"]).map(Asset)
instruments = st.sampled_from(["BTC/USD", "XRP/USD", "?XFOOZUSD"]).map(Instrument)
wallets = st.sampled_from([Wallet.SPOT, Wallet.EARN])
sides = st.sampled_from(list(OrderSide))
sizes = st.sampled_from(["0", "1", "1.00000001", "2", "0.5", "1E-8", "12345678901234567890.123456789"]).map(Decimal)
amounts = st.one_of(sizes, sizes.map(lambda size: -size if size < 10 else size))
instants = st.integers(-3, 1).map(lambda minutes: T0 + timedelta(minutes=minutes))
names = st.sampled_from(["A", "B", "C", "A:B"])
maybe = st.none() | names

balances = st.builds(Balance, assets, wallets, amounts, st.none() | sizes)
positions = st.one_of(
    st.builds(Position, instruments, st.just(PositionMode.NET), amounts, st.none() | sizes),
    st.builds(Position, instruments, st.sampled_from([PositionMode.LONG, PositionMode.SHORT]), sizes),
    st.builds(Position, instruments, st.just(PositionMode.LOT), amounts, st.none() | sizes, names),
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Return an order with at least one id."""
    order_id, client = draw(maybe), draw(maybe)
    return Order(
        order_id if order_id or client else "A",
        draw(instruments),
        draw(sides),
        draw(sizes),
        draw(sizes),
        draw(st.sampled_from([*sorted(ORDER_STATUSES), "frozen"])),
        client_order_id=client,
        price=draw(st.none() | sizes),
        opened_at=draw(st.none() | instants),
        updated_at=draw(st.none() | instants),
    )


fills = st.builds(
    Fill,
    names,
    instruments,
    sides,
    sizes,
    sizes,
    instants,
    order_id=maybe,
    fee=st.none() | amounts,
    fee_asset=st.none() | assets,
    margin=st.booleans(),
)
movements = st.builds(
    Movement,
    names,
    st.sampled_from(["trade", "fee", "deposit", "rollover", "opening", "none"]),
    assets,
    wallets,
    amounts,
    instants,
    st.sampled_from([Decimal(0), Decimal(1)]),
    maybe,
)
records: st.SearchStrategy[Record] = st.one_of(balances, positions, orders(), fills, movements)
coverages = st.builds(Coverages, **dict.fromkeys(Coverages.__struct_fields__, st.sampled_from(list(Coverage))))
windows = st.builds(Since, **dict.fromkeys(Since.__struct_fields__, st.none() | instants))


@st.composite
def pairs(draw: st.DrawFn, *, covered: bool = False) -> Pair:
    """Return two sides of one account; *covered* means everything, on both sides, from the beginning."""
    both, ours, theirs = (draw(st.lists(records, max_size=5)) for _ in range(3))
    left: dict[str, Any] = {"coverage": ALL if covered else draw(coverages)}
    right: dict[str, Any] = {"coverage": ALL if covered else draw(coverages)}
    if not covered:
        left["since"], right["since"] = draw(windows), draw(windows)
    return internal(*both, *ours, **left), exchange(*both, *theirs, **right)


def every_row(snapshot: Snapshot) -> tuple[Record, ...]:
    """Return all records of a side."""
    return (
        *snapshot.balances,
        *snapshot.positions,
        *snapshot.orders,
        *snapshot.fills,
        *snapshot.movements,
    )


def rebuilt(snapshot: Snapshot, change: Callable[[list[Any]], list[Any]]) -> Snapshot:
    """Return the side with each of its lists changed."""
    from msgspec.structs import replace

    return replace(
        snapshot,
        **{
            kind: tuple(change(list(getattr(snapshot, kind))))
            for kind in ("balances", "positions", "orders", "fills", "movements")
        },
    )
