"""What the records of each side say about each other, and what that says about who is wrong.

Four proofs for every asset and wallet: (a) the book rolls forward from its opening to its closing balance, (b) so
does the exchange, row by row, (c) the movements of both are the same, (d) so are the closing balances. Which of
them fail together tells the side at fault. A proof that could not be made is neither won nor lost.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.audit import audit_of
from gal_friday.domain.chain import Gap, Link, chained, name_of, net, when
from gal_friday.domain.compare.duplicates import each_once
from gal_friday.domain.course import Booked, course_of
from gal_friday.domain.divergence import Change, FirstDivergence, State, changes_between, first_divergence
from gal_friday.domain.explanation import Waypoint
from gal_friday.domain.materiality import rounding_tolerance
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import BOOKS_OWN_KINDS, Movement
from gal_friday.domain.snapshot import Coverage, Side, Snapshot

Place = tuple[Asset, Wallet]
Tolerance = Callable[[Asset], Decimal]


class Reading(StrEnum):
    """What the four proofs of one balance say together."""

    __hash__ = str.__hash__

    AGREE = "agree"
    """All four hold."""
    INTERNAL_AT_FAULT = "internal_at_fault"
    """The book lost, doubled or mis-summed an event: it contradicts itself."""
    EXCHANGE_INCOMPLETE = "exchange_incomplete"
    """The exchange's rows or its balance are incomplete or stale: read again, conclude nothing."""
    ITEMS = "items"
    """Both follow from their own rows, and some rows are on one side only: they have names."""
    WRONG_OPENING = "wrong_opening"
    """Every movement agrees and the closing does not: the book began with a wrong balance."""
    COMPENSATING = "compensating"
    """The closings agree although rows do not: errors that cancel out, another name, or a wrong cut."""
    BOTH_INCOMPLETE = "both_incomplete"
    """Neither side follows from its own rows: conclude nothing."""
    NOT_PROVEN = "not_proven"
    """Too little was seen for a proof."""

    @property
    def side(self) -> Side | None:
        """Return the side whose records are wrong, where the proofs decide it."""
        match self:
            case Reading.INTERNAL_AT_FAULT | Reading.WRONG_OPENING:
                return "internal"
            case Reading.EXCHANGE_INCOMPLETE:
                return "exchange"
            case _:
                return None


_ANY = None
# (a) book rolls forward, (b) exchange rolls forward, (c) items match, (d) closings agree; the first row that fits.
_READINGS = (
    ((False, False, _ANY, _ANY), Reading.BOTH_INCOMPLETE),
    ((False, _ANY, _ANY, _ANY), Reading.INTERNAL_AT_FAULT),
    ((_ANY, False, _ANY, _ANY), Reading.EXCHANGE_INCOMPLETE),
    ((_ANY, _ANY, False, False), Reading.ITEMS),
    ((_ANY, _ANY, True, False), Reading.WRONG_OPENING),
    ((_ANY, _ANY, False, True), Reading.COMPENSATING),
    ((True, True, True, True), Reading.AGREE),
)


class Proof(Struct, frozen=True):
    """The four proofs of one balance. None is a proof that could not be made."""

    internal_rolls: bool | None
    exchange_rolls: bool | None
    items_match: bool | None
    closings_agree: bool | None
    gaps: tuple[Gap, ...] = ()
    """Where the exchange's running balances do not follow: rows are missing from what was read."""
    changes: tuple[Change, ...] = ()
    """What the sides booked differently, oldest first."""
    divergence: FirstDivergence | None = None
    """Since when they differ; None where a side's movements were not all seen."""
    course: tuple[Waypoint, ...] = ()
    """How both running balances went around it; empty where one of them is not known."""

    @property
    def reading(self) -> Reading:
        """Return what the four say together."""
        return at_fault(self.internal_rolls, self.exchange_rolls, self.items_match, self.closings_agree)


def at_fault(a: bool | None, b: bool | None, c: bool | None, d: bool | None) -> Reading:
    """Return what the four proofs say: book rolls forward, exchange rolls forward, items match, closings agree.

    A roll-forward that could not be made does not speak against its side; without items and closings
    nothing can be read.
    """
    proofs = (a, b, c, d)
    fitting = (reading for wanted, reading in _READINGS if _fit(proofs, wanted))
    return next(fitting, Reading.NOT_PROVEN)


def _fit(proofs: Sequence[bool | None], wanted: Sequence[bool | None]) -> bool:
    return all(asked is _ANY or proof is asked for proof, asked in zip(proofs, wanted, strict=True))


def proofs_of(
    internal: Snapshot, exchange: Snapshot, *, tolerance: Tolerance, places: Iterable[Place] | None = None
) -> Mapping[Place, Proof]:
    """Return the proofs of these balances, or of all that either side lists or moved, by place.

    *tolerance* tells how much two amounts of an asset may differ and still agree; where the exchange rounds,
    half a unit of its last place for each rounded record is allowed as well.
    """
    ours, theirs = _Ledger(internal), _Ledger(exchange)
    unproven = audit_of(exchange).unproven
    wanted = ours.places | theirs.places if places is None else set(places)
    return {place: _proof(ours, theirs, place, tolerance(place[0]), place in unproven) for place in sorted(wanted)}


class _Ledger:
    """The balances and movements of one side by place."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.balances = {(row.asset, row.wallet): row for row in snapshot.balances}
        self.rows: dict[Place, list[Movement]] = {}
        for row in snapshot.movements:
            self.rows.setdefault((row.asset, row.wallet), []).append(row)
        self.seen_whole = snapshot.coverage.movements == Coverage.TOTAL
        self.from_beginning = self.seen_whole and snapshot.since.movements is None

    @property
    def places(self) -> set[Place]:
        return self.balances.keys() | self.rows.keys()

    def closing(self, place: Place) -> Decimal | None:
        """Return the balance; zero where it is absent and everything was seen (I5)."""
        row = self.balances.get(place)
        if row is not None:
            return row.total
        return ZERO if self.snapshot.coverage.balances == Coverage.TOTAL else None

    def rounded_records(self, place: Place) -> int:
        row = self.balances.get(place)
        return row.rounded_records if row is not None else 0


def _proof(ours: _Ledger, theirs: _Ledger, place: Place, floor: Decimal, unproven: bool) -> Proof:
    scale = theirs.snapshot.scales.assets.get(place[0])
    rounded = ours.rounded_records(place) + theirs.rounded_records(place)
    allowed = max(floor, rounding_tolerance(scale, rounded))
    # Put in order by instant and id first: what is left undecided may not depend on the order of the rows (I12).
    mine = sorted(ours.rows.get(place, ()), key=when)
    links = chained(sorted(each_once(theirs.rows.get(place, ()), _id).values(), key=when))
    gaps = tuple(link.gap for link in links if link.gap is not None)
    difference = _difference(ours.closing(place), theirs.closing(place))
    booked = _as_booked(mine, ours.closing(place))
    changes = _changes(ours, theirs, booked, links) if ours.seen_whole and theirs.seen_whole else None
    item = max(floor, rounding_tolerance(scale, 1))
    found = Proof(
        internal_rolls=_rolls(ours, place, booked, allowed),
        exchange_rolls=False if gaps or unproven else _rolls(theirs, place, links, floor),
        items_match=None if changes is None else all(quantity.absolute(each.amount) <= item for each in changes),
        closings_agree=None if difference is None else quantity.absolute(difference) <= allowed,
        gaps=gaps,
        changes=tuple(changes or ()),
        divergence=_since_when(changes, difference, allowed, links, mine),
    )
    return replace(found, course=_course(found, ours, theirs, place, booked, links))


def _id(row: Movement) -> str:
    return row.movement_id


def _as_booked(rows: Sequence[Movement], closing: Decimal | None) -> list[Link]:
    """Return the book's rows with what they moved; as a chain only where the book's balance is the chain's end.

    Rows that were imported carry the running balances of the exchange. Where the book sums them itself, a row that
    it lost is missing from its balance, and may not be made good by the next row's running balance.
    """
    if any(row.balance_after is not None for row in rows):
        links = chained(rows)
        if _newest(links) == closing:
            return links
    return [Link(row, net(row), None) for row in rows]


def _difference(ours: Decimal | None, theirs: Decimal | None) -> Decimal | None:
    return None if ours is None or theirs is None else quantity.subtract(theirs, ours)


def _rolls(ledger: _Ledger, place: Place, links: Sequence[Link], allowed: Decimal) -> bool | None:
    """Say whether opening + movements = closing; None where nobody knows the opening, or not all movements."""
    closing = ledger.closing(place)
    if closing is None or not ledger.seen_whole:
        return None
    if links and all(link.row.balance_after is not None for link in links):
        # Each row states its opening. Of the exchange it is known by now that its newest rows are its balance.
        ends = ledger.snapshot.side == "exchange" or _newest(links) == closing
        return ends and not any(link.gap for link in links)
    if not ledger.from_beginning:
        return None
    moved = quantity.total(link.step for link in links)
    return quantity.absolute(quantity.subtract(closing, moved)) <= allowed


def _newest(links: Sequence[Link]) -> Decimal | None:
    """Return what the newest row of each name states, added up; None where one states nothing."""
    newest = {name_of(link.row): link.row.balance_after for link in links}
    stated = [after for after in newest.values() if after is not None]
    return quantity.total(stated) if len(stated) == len(newest) else None


class _From(NamedTuple):
    """From when on both sides were asked for their rows, and after which opening of the book."""

    begins: datetime | None
    opened: datetime | None

    def has(self, at: datetime) -> bool:
        return (self.begins is None or at >= self.begins) and (self.opened is None or at > self.opened)


def _from_when(ours: _Ledger, theirs: _Ledger, booked: Sequence[Link]) -> _From:
    opened = max((each.row.at for each in booked if each.row.kind == "opening"), default=None)
    starts = (ours.snapshot.since.movements, theirs.snapshot.since.movements)
    return _From(max((start for start in starts if start is not None), default=None), opened)


def _changes(ours: _Ledger, theirs: _Ledger, booked: Sequence[Link], links: Sequence[Link]) -> list[Change]:
    """Return what the sides booked differently of what both were asked for: after the opening, in both windows."""
    begun = _from_when(ours, theirs, booked)
    moved = [each for each in booked if each.row.kind not in BOOKS_OWN_KINDS]
    return [change for change in changes_between(moved, links) if begun.has(change.first_seen)]


def _course(
    found: Proof, ours: _Ledger, theirs: _Ledger, place: Place, booked: Sequence[Link], links: Sequence[Link]
) -> tuple[Waypoint, ...]:
    """Return how the running balances went; nothing where a side contradicts itself, so that its own is not known."""
    mine, other = ours.closing(place), theirs.closing(place)
    contradicted = found.internal_rolls is False or found.exchange_rolls is False
    if contradicted or mine is None or other is None:
        return ()
    if found.divergence is None or found.divergence.state is State.NONE:
        return ()
    begun = _from_when(ours, theirs, booked)
    return course_of(Booked(booked, mine), Booked(links, other), found.changes, found.divergence, begun.has)


def _since_when(
    changes: Sequence[Change] | None,
    difference: Decimal | None,
    allowed: Decimal,
    links: Sequence[Link],
    mine: Sequence[Movement],
) -> FirstDivergence | None:
    if changes is None or difference is None:
        return None
    return first_divergence(changes, difference, allowed, [link.row for link in links] or mine)
