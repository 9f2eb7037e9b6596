"""Short ways to write records and snapshots in tests: amounts as text, times as minutes after T0."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import Finding, Stake
from gal_friday.domain.records import (
    Balance,
    Fill,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
)
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Since, Snapshot

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
"""The instant at which both sides are read, unless a test says otherwise."""

ALL = Coverages(
    balances=Coverage.TOTAL,
    positions=Coverage.TOTAL,
    orders=Coverage.TOTAL,
    fills=Coverage.TOTAL,
    movements=Coverage.TOTAL,
)

D = Decimal


def at(minutes: float) -> datetime:
    """Return the instant so many minutes after T0."""
    return T0 + timedelta(minutes=minutes)


def amount(text: str | None) -> Decimal | None:
    """Return the amount, or None for none."""
    return None if text is None else Decimal(text)


def balance(asset: str, total: str, held: str | None = None, wallet: Wallet = Wallet.SPOT, **more: Any) -> Balance:
    """Return what is in one wallet of one asset."""
    return Balance(Asset(asset), wallet, D(total), amount(held), **more)


def position(
    quantity: str,
    mode: str = "net",
    lot: str | None = None,
    price: str | None = None,
    instrument: str = "XRP/USD",
    **more: Any,
) -> Position:
    """Return a margin position."""
    return Position(Instrument(instrument), PositionMode(mode), D(quantity), amount(price), lot, **more)


def order(
    order_id: str | None = "OX",
    status: str = "open",
    quantity: str = "100",
    filled: str = "0",
    client: str | None = None,
    price: str | None = "0.6",
    side: str = "buy",
    instrument: str = "XRP/USD",
    opened: float | None = -60,
    updated: float | None = -30,
) -> Order:
    """Return an order that was opened an hour and changed half an hour before T0."""
    return Order(
        order_id,
        Instrument(instrument),
        OrderSide(side),
        D(quantity),
        D(filled),
        status,
        client_order_id=client,
        price=amount(price),
        opened_at=None if opened is None else at(opened),
        updated_at=None if updated is None else at(updated),
    )


def fill(
    fill_id: str = "TX",
    quantity: str = "40",
    price: str = "0.6",
    side: str = "buy",
    order_id: str | None = "OX",
    fee: str | None = None,
    fee_asset: str | None = None,
    minute: float = -30,
    instrument: str = "XRP/USD",
    **more: Any,
) -> Fill:
    """Return an execution half an hour before T0."""
    return Fill(
        fill_id,
        Instrument(instrument),
        OrderSide(side),
        D(quantity),
        D(price),
        at(minute),
        order_id=order_id,
        fee=amount(fee),
        fee_asset=None if fee_asset is None else Asset(fee_asset),
        **more,
    )


def movement(
    movement_id: str = "L1",
    net: str = "40",
    asset: str = "XRP",
    kind: str = "trade",
    refers_to: str | None = None,
    fee: str = "0",
    wallet: Wallet = Wallet.SPOT,
    minute: float = -30,
    **more: Any,
) -> Movement:
    """Return a movement half an hour before T0."""
    return Movement(movement_id, kind, Asset(asset), wallet, D(net), at(minute), D(fee), refers_to, **more)


def stake(text: str, asset: str) -> Stake:
    """Return what a difference amounts to."""
    return Stake(D(text), Asset(asset))


def snapshot(side: Side, *rows: object, coverage: Coverages = ALL, **more: Any) -> Snapshot:
    """Return one side with these records, everything covered unless stated."""
    kinds: dict[str, list[object]] = {}
    for row in rows:
        kinds.setdefault(f"{type(row).__name__.lower()}s", []).append(row)
    fields: dict[str, Any] = {kind: tuple(group) for kind, group in kinds.items()}
    fields |= {"account": "main", "exchange": "kraken", "as_of": T0} | more
    return Snapshot(side=side, coverage=coverage, **fields)


def internal(*rows: object, **more: Any) -> Snapshot:
    """Return the book."""
    return snapshot("internal", *rows, **more)


def exchange(*rows: object, **more: Any) -> Snapshot:
    """Return the exchange."""
    return snapshot("exchange", *rows, **more)


def found(ours: object, theirs: object, **more: Any) -> dict[str, Finding]:
    """Compare two sides (a snapshot, a record, or several) and return the findings by key."""
    left = ours if isinstance(ours, Snapshot) else internal(*_rows(ours))
    right = theirs if isinstance(theirs, Snapshot) else exchange(*_rows(theirs))
    findings = compare_snapshots(left, right, **more)
    by_key = {str(finding.key): finding for finding in findings}
    assert len(by_key) == len(findings), "two findings for one key (I4)"
    return by_key


def only(ours: object, theirs: object, **more: Any) -> Finding:
    """Return the one finding of a comparison that must have exactly one."""
    (finding,) = found(ours, theirs, **more).values()
    return finding


def covering(kind: str, coverage: Coverage) -> Coverages:
    """Return total coverage of everything but this kind."""
    return Coverages(**({name: getattr(ALL, name) for name in ALL.__struct_fields__} | {kind: coverage}))


def since(minutes: float) -> Since:
    """Return a window from so many minutes after T0 on, for every kind that has one."""
    return Since(orders=at(minutes), fills=at(minutes), movements=at(minutes))


def _rows(given: object) -> Iterable[object]:
    return given if isinstance(given, list | tuple) else (given,)
