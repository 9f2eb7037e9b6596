"""Step 1 of the line: one account in, two snapshots of one cut out, each with coverage and proof of its completeness.

A part that cannot be read costs that part and nothing else: its coverage becomes none, with the reason. It
never becomes an empty list (N1), and it never stops the parts that can be read.

Both sides move while they are read, so each is read between two looks at its own counter: the exchange between
two looks at the newest row of its ledger, the book between two of its versions. What moved in between is known
row by row; balances are brought to the row that they are compared at. What cannot be brought there is said to
be in motion. No tolerance is ever widened for it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.aliases import Aliases, renamed
from gal_friday.domain.assets import Asset
from gal_friday.domain.cut import Cut, Motion, cut_of, in_motion
from gal_friday.domain.cut import Reading as Between
from gal_friday.domain.finding import Finding, Key
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Balance, Kind, Order
from gal_friday.domain.rewind import Brought, Place, brought_to_newest
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Scales, Side, Since, Snapshot
from gal_friday.flows.second_look import second_look
from gal_friday.ports.book import Book
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, ExchangeFailed
from gal_friday.ports.exchange import Exchange, Reading
from gal_friday.ports.steps import Steps, unwatched

OVERLAP = timedelta(minutes=1)
"""Read before the window, so that a record which the two sides date a little apart is found on both."""

_AGAIN_MAX = 2
_TAIL = timedelta(seconds=30)
"""How far before the newest known row the rest of the ledger is read again: rows need not come in order."""
_NO_POLICY = Policy()
_UNSEEN = ""


class Sources(Struct, frozen=True):
    """The two sides of one account, and the clock that dates their reading."""

    account: str
    exchange: Exchange
    book: Book
    clock: Clock
    aliases: Aliases = Aliases()
    """The trading system's names for assets and instruments."""
    steps: Steps = unwatched


class Fetched(Struct, frozen=True):
    """The two snapshots, what moved between them, and what failed on the way to them."""

    internal: Snapshot
    exchange: Snapshot
    cut: Cut
    motion: Motion
    errors: tuple[str, ...] = ()
    findings: tuple[Finding, ...] | None = None
    """What comparing the two gave, where the second look already did that; no watched key is in it."""


class _ExchangeTime:
    """The machine's clock, read as the exchange's."""

    def __init__(self, clock: Clock, ahead: timedelta) -> None:
        self._ahead = ahead
        self._clock = clock
        self.monotonic, self.sleep = clock.monotonic, clock.sleep

    def now(self) -> datetime:
        return self._clock.now() + self._ahead


class _Read(Struct):
    """What was read of the exchange so far."""

    parts: dict[Kind, Reading[Any] | NotChecked]
    began: datetime
    head: str | None = _UNSEEN
    """The newest ledger row before the balances were read; empty where nobody could look."""
    still: bool = False
    """Whether that row was the newest to the end."""
    positions: tuple[datetime, datetime] | None = None
    unplaced: frozenset[Place] = frozenset()

    def done(self, kind: Kind) -> Reading[Any] | None:
        part = self.parts.get(kind)
        return part if isinstance(part, Reading) else None


async def fetch(
    sources: Sources,
    *,
    since: datetime,
    only: Sequence[Kind],
    policy: Policy = _NO_POLICY,
    pending: Mapping[Key, int] | None = None,
) -> Fetched:
    """Return both sides from *since* on. Never raises for a failure of the world: what failed is in the result.

    *pending* tells in how many runs without a break each key was pending until now: after as many as the policy
    allows it is judged by what both sides were before it moved.
    """
    try:
        await sources.exchange.open()
        scales = await sources.exchange.scales()
    except ExchangeFailed as failure:
        internal = await _internal(sources, since, Scales())
        exchange = _nothing(sources, "exchange", since, str(failure))
        return _fetched(internal, exchange, cut_of(internal, exchange), in_motion(internal, exchange))
    # Records bear the exchange's time, so both readings are dated by it: a clock that is wrong moves no cut.
    sources = replace(sources, clock=_ExchangeTime(sources.clock, sources.exchange.capabilities.clock_offset))
    before = await _internal(sources, since, scales)
    if before.coverage == Coverages():
        # Reading a whole account can take minutes of call budget: not for a comparison with nothing.
        exchange = _nothing(sources, "exchange", since, "not read, since the book cannot be compared with anything")
        return _fetched(before, exchange, cut_of(before, exchange), in_motion(before, exchange))
    read = await _exchange(sources, before, since, only)
    exchange = _snapshot(sources, read, scales, since)
    after = await _again(sources, before, since, scales)
    internal = before if after.coverage == Coverages() else after
    ripe = frozenset(key for key, runs in (pending or {}).items() if runs >= policy.pending_runs)
    reading = Between(assets=_changed(before, internal), unplaced=read.unplaced, positions=read.positions, ripe=ripe)
    looked = await second_look(
        sources.exchange, internal, exchange, policy=policy, reading=reading, only=only, asked=_believed(before.orders)
    )
    exchange, motion, findings = looked
    return _fetched(internal, exchange, _cut(before, internal, exchange, read, motion), motion, findings)


def _fetched(
    internal: Snapshot, exchange: Snapshot, at: Cut, motion: Motion, findings: tuple[Finding, ...] | None = None
) -> Fetched:
    reasons = [gap.reason for gap in (*internal.not_checked, *exchange.not_checked)]
    return Fetched(internal, exchange, at, motion, tuple(dict.fromkeys(reasons)), findings)


def _cut(before: Snapshot, internal: Snapshot, exchange: Snapshot, read: _Read, motion: Motion) -> Cut:
    clean = read.still and before.version == internal.version
    past = motion.past.at if motion.past and motion.ripe else None
    return Cut(internal.as_of, exchange.as_of, exchange.version, clean, past)


def _changed(before: Snapshot, after: Snapshot) -> frozenset[Asset]:
    """Return the assets of which the book held something else when it was read again."""
    if before.version is not None and before.version == after.version:
        return frozenset()
    changed = {_place(row): row for row in before.balances}.items() ^ {
        _place(row): row for row in after.balances
    }.items()
    return frozenset(asset for (asset, _), _ in changed)


async def _internal(sources: Sources, since: datetime, scales: Scales) -> Snapshot:
    try:
        with sources.steps("fetch", side="internal"):
            book = await sources.book.snapshot(account=sources.account, since=since - OVERLAP, scales=scales)
    except BookFailed as failure:
        return _nothing(sources, "internal", since, str(failure))
    at = book.as_of + sources.exchange.capabilities.clock_offset
    return renamed(replace(book, as_of=at, since=_later(book.since, since)), sources.aliases)


async def _again(sources: Sources, before: Snapshot, since: datetime, scales: Scales) -> Snapshot:
    """Read the book a second time; one that says it is still the same stands as it was read, and is that much newer."""
    at = sources.clock.now()
    try:
        same = before.version is not None and await sources.book.version(sources.account) == before.version
    except BookFailed:
        same = False
    return replace(before, as_of=at) if same else await _internal(sources, since, scales)


def _later(stated: Since, since: datetime) -> Since:
    """Return the window without the overlap; a book that begins later than that says so, and is believed."""
    return Since(
        orders=max(since, stated.orders or since),
        fills=max(since, stated.fills or since),
        movements=max(since, stated.movements or since),
    )


def _nothing(sources: Sources, side: Side, since: datetime, reason: str) -> Snapshot:
    return Snapshot(
        side=side,
        account=sources.account,
        exchange=sources.exchange.name,
        as_of=sources.clock.now(),
        coverage=Coverages(),
        since=Since(orders=since, fills=since, movements=since),
        not_checked=tuple(NotChecked(kind, reason, side) for kind in RECORD_KINDS),
    )


async def _exchange(sources: Sources, internal: Snapshot, since: datetime, only: Sequence[Kind]) -> _Read:
    """Read part after part. The order matters: what moves late must show in a later part.

    Balances come before the ledger, so that a movement between the two is known and its asset is judged as
    moving rather than as wrong; the ledger before the fills, because it alone knows their true fees.
    """
    exchange, start = sources.exchange, since - OVERLAP
    known = _believed(internal.orders)
    parts: dict[Kind, Callable[[], Awaitable[Reading[Any]]]] = {
        Kind.BALANCES: exchange.balances,
        Kind.POSITIONS: exchange.positions,
        Kind.ORDERS: lambda: exchange.orders(since=start, known=known),
        Kind.MOVEMENTS: lambda: exchange.movements(since=start, until=sources.clock.now()),
        Kind.FILLS: lambda: exchange.fills(since=start, until=sources.clock.now()),
    }
    read = _Read({}, sources.clock.now())
    if Kind.MOVEMENTS in only and Kind.BALANCES in only:
        read.head = await _head(exchange)
    for kind in (kind for kind in parts if kind in only):
        began = sources.clock.now()
        read.parts[kind] = await _part(sources, kind, parts[kind])
        if kind is Kind.POSITIONS:
            read.positions = (began, sources.clock.now())
    await _brought_to_cut(sources, read)
    return read


def _believed(orders: Sequence[Order]) -> tuple[str, ...]:
    """Return the ids that the exchange has to be asked for: a rejected order never had one there."""
    return tuple(sorted({order.order_id for order in orders if order.order_id and order.status != "rejected"}))


async def _part(sources: Sources, kind: Kind, read: Callable[[], Awaitable[Reading[Any]]]) -> Reading[Any] | NotChecked:
    try:
        with sources.steps("fetch", side="exchange", kind=kind.value):
            return await read()
    except ExchangeFailed as failure:
        return NotChecked(kind, str(failure), "exchange")


async def _head(exchange: Exchange) -> str | None:
    """Return the newest row, or an empty text where nobody could look: that costs nothing but the clean cut."""
    try:
        return await exchange.head() if exchange.capabilities.movements else _UNSEEN
    except ExchangeFailed:
        return _UNSEEN


async def _brought_to_cut(sources: Sources, read: _Read) -> None:
    """Bring the balances to the newest row that was read, and see whether it is the newest still.

    Balances that no row leads to are read again, with the rest of the ledger, at most twice.
    """
    placed = _placed(read)
    for _ in range(_AGAIN_MAX):
        if placed is not None and placed.unplaced:
            await _balances_again(sources, read)
            placed = _placed(read)
    balances, ledger = read.done(Kind.BALANCES), read.done(Kind.MOVEMENTS)
    if placed is None or balances is None or ledger is None:
        return
    read.parts[Kind.BALANCES] = replace(balances, rows=placed.balances)
    read.unplaced = placed.unplaced
    if read.head == _newest(ledger):
        read.still = await _head(sources.exchange) == read.head


def _placed(read: _Read) -> Brought | None:
    """Return the balances at the newest row; None where the rows between are not all known."""
    balances, ledger = read.done(Kind.BALANCES), read.done(Kind.MOVEMENTS)
    if balances is None or ledger is None or read.head == _UNSEEN or ledger.coverage != Coverage.TOTAL:
        return None
    return brought_to_newest(balances.rows, ledger.rows, before=read.head)


def _newest(ledger: Reading[Any]) -> str | None:
    return ledger.rows[-1].movement_id if ledger.rows else ledger.head


async def _balances_again(sources: Sources, read: _Read) -> None:
    exchange, ledger = sources.exchange, read.done(Kind.MOVEMENTS)
    assert ledger is not None, "balances are out of place by rows that were read"
    head = await _head(exchange)
    balances = await _part(sources, Kind.BALANCES, exchange.balances)
    start = ledger.rows[-1].at - _TAIL
    again = partial(exchange.movements, since=start)
    tail = await _part(sources, Kind.MOVEMENTS, lambda: again(until=sources.clock.now()))
    if isinstance(balances, NotChecked) or isinstance(tail, NotChecked) or tail.coverage != Coverage.TOTAL:
        return
    known = {row.movement_id for row in ledger.rows}
    rows = (*ledger.rows, *(row for row in tail.rows if row.movement_id not in known))
    read.head = head
    read.parts[Kind.BALANCES] = balances
    read.parts[Kind.MOVEMENTS] = replace(ledger, rows=rows, head=tail.head, evidence=(*ledger.evidence, *tail.evidence))


def _place(row: Balance) -> Place:
    return row.asset, row.wallet


def _snapshot(sources: Sources, read: _Read, scales: Scales, since: datetime) -> Snapshot:
    done = {kind: reading for kind, reading in read.parts.items() if isinstance(reading, Reading)}
    failed = [gap for gap in read.parts.values() if isinstance(gap, NotChecked)]
    partial = [NotChecked(kind, why, "exchange") for kind, part in done.items() for why in part.reasons]
    rows: dict[str, Any] = {kind.value: part.rows for kind, part in done.items()}
    ledger = read.done(Kind.MOVEMENTS)
    return Snapshot(
        side="exchange",
        account=sources.account,
        exchange=sources.exchange.name,
        as_of=read.began,
        coverage=Coverages(**{kind.value: part.coverage for kind, part in done.items()}),
        since=Since(orders=since, fills=since, movements=since),
        **rows,
        scales=scales,
        version=_newest(ledger) if ledger else None,
        not_checked=(*failed, *partial),
        notes=tuple(note for part in done.values() for note in part.notes),
        evidence=tuple(evidence for part in done.values() for evidence in part.evidence),
    )
