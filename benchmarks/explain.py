"""Explaining and proving in process: rows that no id explains, four proofs, the anti-join, a book that lacks all."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from benchmarks.measured import Measured, best
from gal_friday.domain import quantity
from gal_friday.domain.accident import expected_accidents
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.chain import net
from gal_friday.domain.proof import proofs_of
from gal_friday.domain.records import Balance, Movement
from gal_friday.domain.report import compare
from gal_friday.domain.residual import PoolRow, candidates
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Since, Snapshot

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_ROWS = 30_000
_FLOOR = Decimal("0.00000001")
_WHOLE = Coverages(balances=Coverage.TOTAL, movements=Coverage.TOTAL)


def run() -> Iterator[Measured]:
    """Measure rows without a match, 30,000 rows of which 1 % are missing, and 50,000 of which all are."""
    pool = _pool(200)
    for what, residual in _residuals(pool):
        seconds = best(lambda residual=residual: candidates(residual, pool, tolerance=_FLOOR, places=8), rounds=20)  # type: ignore[misc]
        yield Measured(f"200 unmatched rows: {what}", seconds * 1e3, "ms", "50")
    crowd = _pool(_ROWS)
    seconds = best(lambda: candidates(Decimal("0.12345679"), crowd, tolerance=_FLOOR, places=8), rounds=5)
    yield Measured("30,000 unmatched rows: nothing fits, up to the bounds on work", seconds * 1e3, "ms")
    units = [int(quantity.multiply(row.amount, Decimal(10**8))) for row in pool]
    yield Measured(
        "the expected accidents of 200 rows, three at a time",
        best(lambda: expected_accidents(units, 3, units[0] * 3, 1), rounds=50) * 1e6,
        "us",
    )
    yield from _proofs()
    yield from _nothing_booked(50_000)


def _pool(rows: int) -> list[PoolRow]:
    draw = Random(1)
    return [
        PoolRow(
            f"L{row:04d}",
            Decimal(draw.randrange(-(10**12), 10**12)).scaleb(-8),
            Decimal(0),
            _NOW + row * _MINUTE,
            "trade",
        )
        for row in range(rows)
    ]


_MINUTE = timedelta(minutes=1)


def _residuals(pool: list[PoolRow]) -> Iterator[tuple[str, Decimal]]:
    yield "one is missing", pool[77].amount
    yield "three are missing", quantity.total(pool[row].amount for row in (3, 60, 180))
    yield "nothing fits, up to the bound on work", Decimal("0.12345679")


def _proofs() -> Iterator[Measured]:
    theirs = _side("exchange", missing=0)
    for what, ours in (("all agree", _side("internal", missing=0)), ("1 % missing", _side("internal", missing=100))):
        seconds = best(lambda ours=ours: proofs_of(ours, theirs, tolerance=lambda asset: _FLOOR), rounds=10)  # type: ignore[misc]
        yield Measured(f"30,000 rows proven, anti-joined, first divergence: {what}", seconds * 1e3, "ms", "300")


def _side(side: Side, *, missing: int) -> Snapshot:
    draw = Random(2)
    after = dict.fromkeys(("BTC", "USD", "XRP"), Decimal(10**6))
    rows = [_opening(asset) for asset in after] if side == "internal" else []
    for number in range(_ROWS):
        asset = ("BTC", "USD", "XRP")[number % 3]
        row = _row(number, asset, Decimal(draw.randrange(-(10**12), 10**12)).scaleb(-8), side)
        if missing and number % missing == 7:
            continue
        after[asset] = quantity.add(after[asset], net(row))
        rows.append(row if side == "internal" else _with_balance(row, after[asset]))
    return Snapshot(
        side=side,
        account="main",
        exchange="kraken",
        as_of=_NOW + timedelta(days=60),
        coverage=_WHOLE,
        since=Since(movements=_NOW if side == "exchange" else None),
        balances=tuple(Balance(Asset(asset), Wallet.SPOT, total, raw=(asset,)) for asset, total in after.items()),
        movements=tuple(rows),
    )


def _nothing_booked(rows: int) -> Iterator[Measured]:
    """Measure a book that has nothing of what happened since it was opened, and how much memory its report takes."""
    ours, theirs = _opened(), _happened(rows)
    seconds = best(lambda: compare(ours, theirs), rounds=3)
    yield Measured(f"{rows:,} movements that the book lacks: the whole report", seconds, "s", "3")
    tracemalloc.start()
    compare(ours, theirs)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Measured("  its memory at the most, snapshots apart", most / 1e6, "MB")


def _opened() -> Snapshot:
    assets = ("BTC", "USD", "XRP")
    return Snapshot(
        side="internal",
        account="main",
        exchange="kraken",
        as_of=_NOW + timedelta(days=60),
        coverage=_WHOLE,
        balances=tuple(Balance(Asset(asset), Wallet.SPOT, Decimal(10**6)) for asset in assets),
        movements=tuple(map(_opening, assets)),
    )


def _happened(rows: int) -> Snapshot:
    draw = Random(3)
    kinds = ("trade", "deposit", "withdrawal", "reward", "conversion", "transfer")
    after = dict.fromkeys(("BTC", "USD", "XRP"), Decimal(10**6))
    moved = []
    for number in range(rows):
        asset = ("BTC", "USD", "XRP")[number % 3]
        amount = Decimal(draw.randrange(-(10**12), 10**12)).scaleb(-8)
        row = _row(number, asset, amount, "exchange", kinds[number // 2 % 6])
        after[asset] = quantity.add(after[asset], net(row))
        moved.append(_with_balance(row, after[asset]))
    return Snapshot(
        side="exchange",
        account="main",
        exchange="kraken",
        as_of=_NOW + timedelta(days=60),
        coverage=_WHOLE,
        since=Since(movements=_NOW),
        balances=tuple(Balance(Asset(asset), Wallet.SPOT, total, raw=(asset,)) for asset, total in after.items()),
        movements=tuple(moved),
    )


def _opening(asset: str) -> Movement:
    at = _NOW - timedelta(days=1)
    return Movement(f"O:{asset}", "opening", Asset(asset), Wallet.SPOT, Decimal(10**6), at)


def _row(number: int, asset: str, amount: Decimal, side: Side, kind: str = "trade") -> Movement:
    event = f"T{number:06d}"
    return Movement(
        f"L{number:06d}" if side == "exchange" else f"{event}:{asset}",
        kind,
        Asset(asset),
        Wallet.SPOT,
        amount,
        _NOW + number * _MINUTE,
        fee=Decimal("0.00000017") if number % 2 else Decimal(0),
        refers_to=event,
        raw=(asset,),
    )


def _with_balance(row: Movement, after: Decimal) -> Movement:
    return Movement(
        row.movement_id, row.kind, row.asset, row.wallet, row.amount, row.at, row.fee, row.refers_to, after, row.raw
    )
