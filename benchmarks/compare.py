"""Comparing balances in process, beside the plain loop that makes no findings."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from benchmarks.measured import Measured, best
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.records import Balance
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Snapshot

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run() -> Iterator[Measured]:
    """Measure 10,000 keys of which 1 % differ, and a single key."""
    ours, theirs = snapshot("internal", 10_000, 0), snapshot("exchange", 10_000, 1)
    findings = best(lambda: compare_snapshots(ours, theirs), rounds=30)
    plain = best(lambda: _plain(ours, theirs), rounds=30)
    yield Measured("10,000 balances: dict and Decimal, no findings", plain * 1e3, "ms")
    yield Measured("10,000 balances: one finding per key", findings * 1e3, "ms", "10")
    yield Measured("  times the plain loop", findings / plain, "x", "6")
    yield Measured(
        "10,000 balances: the whole report", best(lambda: compare(ours, theirs), rounds=30) * 1e3, "ms", "10"
    )
    yield from _one_key()


def _one_key() -> Iterator[Measured]:
    ours, same = snapshot("internal", 1, 0), snapshot("exchange", 1, 0)
    other = snapshot("exchange", 1, 1)
    for what, theirs in (("that agrees", same), ("that differs", other)):
        seconds = best(lambda theirs=theirs: [compare_snapshots(ours, theirs) for _ in range(1000)], rounds=20)  # type: ignore[misc]
        yield Measured(f"one key {what}: its finding", seconds * 1e3, "us", "10")
        seconds = best(lambda theirs=theirs: [compare(ours, theirs) for _ in range(1000)], rounds=20)  # type: ignore[misc]
        yield Measured(f"one key {what}: the whole report", seconds * 1e3, "us")


def _plain(ours: Snapshot, theirs: Snapshot) -> dict[str, Decimal]:
    """Do what a script would do: two dicts, and the difference of what is not equal."""
    internal = {row.asset: row.total for row in ours.balances}
    exchange = {row.asset: row.total for row in theirs.balances}
    zero = Decimal(0)
    return {
        name: exchange.get(name, zero) - internal.get(name, zero)
        for name in internal.keys() | exchange.keys()
        if internal.get(name) != exchange.get(name)
    }


def snapshot(side: Side, keys: int, extra: int, *, one_in: int = 100) -> Snapshot:
    """Return so many balances; *extra* is added to one in so many."""
    return Snapshot(
        side=side,
        account="main",
        exchange="kraken",
        as_of=_NOW,
        coverage=Coverages(balances=Coverage.TOTAL),
        balances=tuple(
            Balance(Asset(f"A{n:05d}"), Wallet.SPOT, Decimal(n) + Decimal("0.1") + (0 if n % one_in else extra))
            for n in range(keys)
        ),
    )
