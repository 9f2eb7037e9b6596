"""How a book begins from what a trading system says it holds.

An opening posts what is needed so that the book, rolled up, says exactly what the snapshot stated: one
``opening`` movement for each asset and wallet, one opening margin fill for each position at its average
price. Both stand before everything that the book can be asked about, since the exchange has no such rows.
What the snapshot's own fills and movements already explain is not posted again (N3). What plugs of another book
stood for is part of the opening, and no plug any more: nothing here knows what they rest on.

No price is ever invented: a position without an average price cannot be opened from.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Instrument
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Kind, Movement, OrderSide, Position, PositionMode
from gal_friday.domain.roll_up import roll_up
from gal_friday.domain.snapshot import Coverage, Snapshot
from gal_friday.ports.errors import NoOpening

_NEEDED = (Kind.BALANCES, Kind.POSITIONS)


class Opening(Struct, frozen=True):
    """Everything that the first entry of a book consists of."""

    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    fills_since: datetime | None
    """From when on the book knows every fill; None means from its beginning."""
    movements_since: datetime | None


def opening_of(snapshot: Snapshot) -> Opening:
    """Return the entries that open a book so that it says what *snapshot* states.

    Long and short parts of one instrument, and its lots, become one net position. Where the snapshot's own
    margin fills are part of a position, its quantity is met exactly; its average follows from all of them.

    Raises:
        NoOpening: balances or positions are not stated in full, or a position lacks its price.
    """
    for kind in _NEEDED:
        if snapshot.coverage.of(kind) is not Coverage.TOTAL:
            raise NoOpening(
                f"a book cannot begin from {kind} that are not stated in full; list them all, none as "
                f'"{kind}": [], and write "coverage": {{"{kind}": "total"}}'
            )
    snapshot = replace(snapshot, movements=tuple(row for row in snapshot.movements if row.kind != "plug"))
    at = _just_before(snapshot)
    # The opening stands before everything that it leads up to.
    return Opening(
        fills=(*_position_fills(snapshot, at), *snapshot.fills),
        movements=(*_balance_movements(snapshot, at), *snapshot.movements),
        fills_since=_known_since(snapshot, Kind.FILLS),
        movements_since=_known_since(snapshot, Kind.MOVEMENTS),
    )


def _just_before(snapshot: Snapshot) -> datetime:
    """Return an instant before everything stated, and before every window: the exchange has no such rows."""
    stated = [snapshot.as_of, *(fill.at for fill in snapshot.fills)]
    stated += [movement.at for movement in snapshot.movements]
    stated += [since for since in (snapshot.since.fills, snapshot.since.movements) if since is not None]
    return min(stated) - timedelta(microseconds=1)


def _known_since(snapshot: Snapshot, kind: Kind) -> datetime | None:
    return snapshot.since.of(kind) if snapshot.coverage.of(kind) is Coverage.TOTAL else snapshot.as_of


def _balance_movements(snapshot: Snapshot, at: datetime) -> list[Movement]:
    rolled = roll_up(fills=snapshot.fills, movements=snapshot.movements)
    moved = {(balance.asset, balance.wallet): balance.total for balance in rolled.balances}
    # Stated in full: what moved and is not listed is zero (I5).
    stated = dict.fromkeys(moved, ZERO)
    for balance in snapshot.balances:
        key = (balance.asset, balance.wallet)
        stated[key] = quantity.add(stated.get(key, ZERO), balance.total) if key not in moved else balance.total
    missing = {key: quantity.subtract(total, moved.get(key, ZERO)) for key, total in stated.items()}
    return [
        Movement(f"opening:{asset}:{wallet}", "opening", asset, wallet, amount, at)
        for (asset, wallet), amount in missing.items()
        if amount or (asset, wallet) not in moved  # a stated zero stays a zero, and not absent
    ]


def _position_fills(snapshot: Snapshot, at: datetime) -> list[Fill]:
    rolled = roll_up(fills=[fill for fill in snapshot.fills if fill.margin])
    left = {position.instrument: position.quantity for position in rolled.positions}
    fills = []
    for position in snapshot.positions:
        before = left.pop(position.instrument, ZERO)
        needed = quantity.subtract(_signed(position), before)
        if needed:
            fills.append(_opening_fill(position, needed, at))
    unstated = [instrument for instrument, amount in left.items() if amount]
    if unstated:
        raise NoOpening(_NO_PRICE.format(unstated[0], "0"))
    return fills


_NO_PRICE = (
    "the opening position in {0} has no average_price, and none is invented; add to positions "
    '{{"instrument": "{0}", "mode": "net", "quantity": "{1}", "average_price": …}}'
)


def _signed(position: Position) -> Decimal:
    short = position.mode is PositionMode.SHORT
    return quantity.negate(position.quantity) if short else position.quantity


def _opening_fill(position: Position, needed: Decimal, at: datetime) -> Fill:
    if position.average_price is None:
        raise NoOpening(_NO_PRICE.format(position.instrument, quantity.text(position.quantity)))
    parts = ("opening", position.instrument, position.position_id or _part(position.mode))
    return Fill(
        fill_id=":".join(part for part in parts if part),
        instrument=Instrument(position.instrument),
        side=OrderSide.BUY if needed > 0 else OrderSide.SELL,
        quantity=quantity.absolute(needed),
        price=position.average_price,
        at=at,
        margin=True,
        position_id=position.position_id,
    )


def _part(mode: PositionMode) -> str:
    return "" if mode is PositionMode.NET else str(mode)
