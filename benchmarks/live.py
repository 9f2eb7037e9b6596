"""Reading a market that trades twenty times a second while it is read: no false discrepancy, no missed fault."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from time import process_time

from msgspec import Struct

from benchmarks.market import Fault, Market
from benchmarks.measured import Measured
from gal_friday.domain import quantity
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    ExchangeOnly,
    Finding,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.verdict import Verdict, gaps_in, verdict_of
from gal_friday.flows.fetch import fetch

POLICY = Policy(grace_seconds=40)
WINDOW = timedelta(seconds=50)
WARM_UP_SECONDS = 115
RUNS_PER_MARKET = 5


class Tally(Struct):
    """What many runs found."""

    runs: int = 0
    incomplete: int = 0
    fills: int = 0
    seconds: float = 0.0
    """Virtual seconds that the reading took."""
    false: list[str] = []
    missed: list[str] = []
    due: int = 0
    """Planted faults that had to be found, counted in every run."""
    sums: int = 0
    """Balances that had to differ by exactly so much."""
    findings: Counter[str] = Counter()
    clean: int = 0
    gaps: list[str] = []
    """Why runs were incomplete."""


def run() -> Iterator[Measured]:
    """Measure 500 runs over 100 markets."""
    began = process_time()
    tally = asyncio.run(tally_of(range(100)))
    yield Measured(f"{tally.runs} runs, {tally.fills} fills: false discrepancies", len(tally.false), "", "0")
    yield Measured(f"  {tally.due} times a planted fault was due: missed", len(tally.missed), "", "0")
    yield Measured(f"  {tally.sums} balances had to be off by exactly so much; runs incomplete", tally.incomplete, "")
    yield Measured("  virtual seconds that a reading took", tally.seconds / tally.runs, "s")
    yield Measured("  processor time of a run, market included", (process_time() - began) / tally.runs, "s")
    for what, count in sorted(tally.findings.items()):
        yield Measured(f"  findings: {what}", count / tally.runs, "/run")
    for line in (*tally.false[:10], *tally.missed[:10]):
        yield Measured(f"  {line}", 1, "")


async def tally_of(seeds: range, *, runs: int = RUNS_PER_MARKET, faults: float = 0.002) -> Tally:
    """Return what *runs* runs over the market of each seed found. Every third market has no faults at all."""
    tally = Tally()
    for seed in seeds:
        market = Market(seed, faults=0.0 if seed % 3 == 0 else faults)
        await market.open(seconds=WARM_UP_SECONDS)
        pending: dict[Key, int] = {}
        for _ in range(runs):
            market.draw_lags()
            pending = await _one_run(market, tally, seed, pending)
            await market.pass_time(market.chance.choice((1, 5, 10)))
        tally.fills += market.fills
        await market.sources.exchange.close()
    return tally


async def _one_run(market: Market, tally: Tally, seed: int, pending: dict[Key, int]) -> dict[Key, int]:
    began = market.clock.now()
    since = began - WINDOW
    fetched = await fetch(market.sources, since=since, only=RECORD_KINDS, policy=POLICY, pending=pending)
    findings = compare_snapshots(fetched.internal, fetched.exchange, policy=POLICY, motion=fetched.motion)
    unlike = [found for found in findings if not isinstance(found, Agrees)]
    gaps = gaps_in(fetched.internal, fetched.exchange, RECORD_KINDS, unlike)
    verdict = verdict_of(unlike, gaps)
    tally.runs += 1
    tally.seconds += (market.clock.now() - began).total_seconds()
    tally.findings.update(f"{found.key.kind} {type(found).__name__}" for found in findings)
    tally.clean += bool(fetched.cut.clean)
    where = f"seed {seed}, run {tally.runs}"
    tally.false += [f"{where}: {found}" for found in findings if _is_false(found, market.faults)]
    if verdict is Verdict.INCOMPLETE:
        tally.incomplete += 1
        tally.gaps += [gap.reason for gap in gaps]
        tally.gaps += [f"{found.key}: {found.reason}" for found in findings if isinstance(found, CannotTell)]
    else:
        _look_for_faults(tally, where, market.faults, findings, began, since)
    return {found.key: pending.get(found.key, 0) + 1 for found in findings if isinstance(found, Pending)}


def _is_false(found: Finding, faults: list[Fault]) -> bool:
    """Say whether this is a discrepancy of a key that no fault has touched."""
    if not isinstance(found, Differs | InternalOnly | ExchangeOnly):
        return False
    match found.key.kind:
        case Kind.BALANCES | Kind.HOLDS:
            return not any(found.key.name in fault.effects for fault in faults)
        case Kind.POSITIONS:
            return not any(found.key.name == fault.instrument for fault in faults)
        case Kind.SOURCES:
            return not any(found.key.name.partition(":")[2] in fault.records for fault in faults)
        case _:
            return not any(found.key.name in fault.records for fault in faults)


def _look_for_faults(
    tally: Tally, where: str, faults: list[Fault], findings: tuple[Finding, ...], began: datetime, since: datetime
) -> None:
    """Note every fault older than the grace that was not named, and every balance that is off by something else."""
    found = {str(one.key): one for one in findings}
    limit = began - POLICY.grace_of("kraken")
    for fault in faults:
        if since <= fault.at <= limit:
            tally.due += 1
            if not isinstance(found.get(fault.key), Differs | InternalOnly | ExchangeOnly):
                tally.missed.append(f"{where}: {fault.key}, planted {fault.at}, is {found.get(fault.key)}")
    for asset in {asset for fault in faults for asset in fault.effects}:
        touching = [fault for fault in faults if asset in fault.effects]
        # Around the instant to which a moving key is wound back, nobody outside knows which side a fault is on.
        settled = limit - timedelta(seconds=20)
        if all(fault.at <= settled for fault in touching):
            tally.sums += 1
            wanted = quantity.total(amount for fault in touching for amount in fault.effects[asset])
            told = found.get(f"balances:{asset}:spot")
            if _difference(told) != wanted and not (isinstance(told, Pending) and not wanted):
                tally.missed.append(f"{where}: {asset} must be off by {wanted}: {found.get(f'balances:{asset}:spot')}")


def _difference(found: Finding | None) -> Decimal | None:
    match found:
        case Agrees():
            return found.difference
        case Differs(_, mismatches):
            return next((one.difference for one in mismatches if isinstance(one, AmountMismatch)), None)
        case _:
            return None
