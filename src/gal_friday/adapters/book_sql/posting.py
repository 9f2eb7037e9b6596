"""What an adjustment writes into a book, or why it may not: decided on what stands now, before anything is written.

Each posting has its condition: a record that is to be booked must not be there yet, what is to be taken back must be
there as often as it was when somebody looked, a plug rests on the very version that it was computed from. All of it is
written or nothing, and the book must change by just what the adjustment says. Nothing here writes.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

from msgspec import Struct

from gal_friday.adapters.book_sql.delivery import leg_of, name_of
from gal_friday.adapters.book_sql.shelf import (
    Entry,
    PlugRow,
    Reversal,
    Shelf,
    What,
    Written,
    arrivals,
    further_row,
    posted_rows,
    released,
    standing_plugs,
    taken_back,
)
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import IN_THE_BOOK
from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentState,
    Plug,
    PostFill,
    Posting,
    PostMovement,
    PostOrder,
    TakeBack,
    TakeBackAdjustment,
)
from gal_friday.domain.assets import Wallet, is_unresolved
from gal_friday.domain.give_way import Moved, summed
from gal_friday.domain.ids import digest
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import BOOKS_OWN_KINDS, Fill, Kind, Movement, Order, known_movement_kind, known_status
from gal_friday.domain.roll_up import is_older, latest_orders

MOVED_ON = "the book moved on"


class Refusal(Exception):
    """Why nothing may be written. Never leaves this folder: whoever called records it."""


class Posted(Struct, frozen=True):
    """What an adjustment writes, and by how much that changes each place."""

    written: Written
    gross: dict[str, Decimal]
    """By its postings alone."""
    net: dict[str, Decimal]
    """With what plugs give way."""


def post(adjustment: Adjustment, shelf: Shelf, states: Mapping[str, AdjustmentState]) -> Posted:
    """Return what this adjustment writes at the next version.

    *states* are those of the other adjustments that it touches: which it takes back, or whose plugs give way.

    Raises:
        Refusal: the book is not what the adjustment was computed from.
    """
    done = planned(adjustment, shelf, states)
    declared = {effect.key: effect.change for effect in adjustment.effects if effect.change}
    if declared not in (done.gross, done.net):
        raise Refusal(_unlike(declared, done.gross))
    return done


def planned(adjustment: Adjustment, shelf: Shelf, states: Mapping[str, AdjustmentState]) -> Posted:
    """Return the same, whatever the adjustment says that it changes; see ``post``."""
    plan = _Plan(adjustment, shelf, states)
    # What is taken back makes room for what is booked in its place.
    for number, posting in sorted(enumerate(adjustment.postings), key=lambda each: _books(each[1])):
        plan.take(number, posting)
    return plan.done()


def _books(posting: Posting) -> bool:
    return not isinstance(posting, TakeBack | TakeBackAdjustment)


def _unlike(declared: dict[str, Decimal], found: dict[str, Decimal]) -> str:
    keys = sorted(key for key in declared.keys() | found.keys() if declared.get(key, ZERO) != found.get(key, ZERO))
    pairs = ((key, quantity.short(found.get(key, ZERO)), quantity.short(declared.get(key, ZERO))) for key in keys[:3])
    said = (f"{key} would change by {really}, not by {said}" for key, really, said in pairs)
    return f"{MOVED_ON}: {'; '.join(said)}"


class _Plan:
    """Takes one posting after the other."""

    def __init__(self, adjustment: Adjustment, shelf: Shelf, states: Mapping[str, AdjustmentState]) -> None:
        self._adjustment, self._shelf, self._states = adjustment, shelf, states
        self._id, self._seq = adjustment.adjustment_id, shelf.version + 1
        self._before = shelf.standing()
        self._after = dict(self._before)
        self._entries: list[Entry] = []
        self._reversals: list[Reversal] = []
        self._plugs: list[PlugRow] = []
        self._reverses = False

    def take(self, number: int, posting: Posting) -> None:
        match posting:
            case PostFill(fill):
                self._refuse_unresolved(fill.instrument, fill.fee_asset or "")
                self._refuse_known(Fill, fill.fill_id)
                self._add(number, fill)
            case PostMovement(movement):
                self._post_movement(number, movement)
            case PostOrder(order):
                self._post_order(number, order)
            case TakeBack():
                self._take_back(posting)
            case Plug():
                self._plug(number, posting)
            case TakeBackAdjustment(adjustment_id):
                self._reverse(adjustment_id)
            case _:
                assert_never(posting)

    def done(self) -> Posted:
        events = arrivals(self._before, self._after)
        gross = summed((*(each for event in events for each in event), *map(_moved, self._plugs)))
        # What is taken back was weighed when it was posted: what gave way then is restored, and nothing else gives way.
        gave = [] if self._reverses else released(self._shelf, events, self._id)
        net = summed((*(Moved(key, amount, self._adjustment.at) for key, amount in gross.items()), *map(_moved, gave)))
        written = Written(entries=self._entries, reversals=self._reversals, plugs=[*self._plugs, *gave])
        return Posted(written, gross, net)

    def _post_movement(self, number: int, movement: Movement) -> None:
        self._refuse_unresolved(movement.asset)
        if not known_movement_kind(movement.kind) or movement.kind in BOOKS_OWN_KINDS:
            raise Refusal(f"movement {movement.movement_id} is of a kind that nobody may book: {movement.kind}")
        self._refuse_known(Movement, movement.movement_id)
        leg = leg_of(movement)
        for one in self._after.values():
            if one.adjustment_id is None and isinstance(one.record, Movement) and leg and leg_of(one.record) == leg:
                self._refuse_if_new(one, f"movement {movement.movement_id}, as {one.record.movement_id}")
        self._add(number, movement)

    def _refuse_if_new(self, one: Entry, name: str) -> None:
        """Refuse where the trading system delivered the same leg under its own id since somebody looked."""
        seen = self._adjustment.book_version
        if seen is None or not seen.isdecimal() or one.seq > int(seen):
            raise Refusal(f"already in the book: {name}")

    def _post_order(self, number: int, order: Order) -> None:
        self._refuse_unresolved(order.instrument)
        if not known_status(order.status):
            raise Refusal(f"order {order.name} has a status that nobody knows: {order.status}")
        rows = [one.record for one in self._after.values() if isinstance(one.record, Order)]
        same = {name for name in (order.order_id, order.client_order_id) if name is not None}
        for known in latest_orders(rows):
            if {known.order_id, known.client_order_id} & same and is_older(order, known):
                raise Refusal(f"the book has a newer state of order {order.name}: {known.status}")
            if known == order:
                raise Refusal(f"already in the book: order {order.name} is {order.status}")
        self._add(number, order)

    def _take_back(self, posting: TakeBack) -> None:
        kind = Fill if posting.kind is Kind.FILLS else Movement
        found = [one for one in self._after.values() if _is(one, kind, posting.record_id)]
        if len(found) != posting.of or not 0 < posting.entries <= posting.of:
            raise Refusal(f"{MOVED_ON}: it has {len(found)} entries of {posting.record_id}, not {posting.of}")
        for one in found[len(found) - posting.entries :]:
            self._take(one.entry_id)

    def _plug(self, number: int, plug: Plug) -> None:
        self._refuse_unresolved(plug.name)
        if str(self._shelf.version) != self._adjustment.book_version:
            raise Refusal(f"{MOVED_ON}: it is at version {self._shelf.version}, not {self._adjustment.book_version}")
        parts = [*Wallet] if plug.kind is Kind.BALANCES else ["net"] if plug.kind is Kind.POSITIONS else []
        if plug.part not in parts or not plug.amount:
            raise Refusal(f"no plug can be posted at {plug.kind}:{plug.name}:{plug.part}")
        plug_id = f"plug:{self._id}:{number}"
        self._plugs.append(
            PlugRow(
                row_id=plug_id,
                plug_id=plug_id,
                what="posted",
                kind=plug.kind,
                name=plug.name,
                part=plug.part,
                amount=plug.amount,
                price=plug.price,
                at=self._adjustment.at,
                adjustment_id=self._id,
                seq=self._seq,
                line=len(self._plugs),
            )
        )

    def _reverse(self, adjustment_id: str) -> None:
        if self._states.get(adjustment_id) not in IN_THE_BOOK:
            raise Refusal(f"adjustment {adjustment_id} is not in the book, or was taken back before")
        self._reverses = True
        fallen = taken_back(self._shelf.reversals)
        entries = [one for one in self._before.values() if one.adjustment_id == adjustment_id]
        reversals = [
            one for one in self._shelf.reversals if one.adjustment_id == adjustment_id and one.reversal_id not in fallen
        ]
        for one in entries:
            self._take(one.entry_id)
        for back in reversals:
            self._reinstate(back)
        self._reverse_plugs(adjustment_id)
        if not (self._reversals or self._plugs):
            raise Refusal(f"nothing of adjustment {adjustment_id} stands any more")

    def _reinstate(self, back: Reversal) -> None:
        self._take(back.reversal_id)
        fallen, below = taken_back((*self._shelf.reversals, *self._reversals)), self._below(back)
        for one in self._shelf.entries:
            # A reversal of a reversal brings back what that one had taken back, further down the line; taken back
            # once more, it goes again.
            if one.entry_id in below and one.entry_id in fallen:
                self._after.pop(one.entry_id, None)
            if one.entry_id not in below or one.entry_id in fallen or one.entry_id in self._after:
                continue
            for other in self._after.values():
                if other.seq > back.seq and _same_record(other, one):
                    raise Refusal(
                        f"the trading system delivered {name_of(one.record)} since; it cannot be brought back"
                    )
            self._after[one.entry_id] = one

    def _below(self, back: Reversal) -> set[str]:
        found, by_id = {back.takes_back}, {one.reversal_id: one for one in self._shelf.reversals}
        while below := {by_id[name].takes_back for name in found if name in by_id} - found:
            found |= below
        return found

    def _reverse_plugs(self, adjustment_id: str) -> None:
        posted = posted_rows(self._shelf.plugs)
        left = {plug.plug_id: plug.amount for plug in standing_plugs(self._shelf.plugs)}
        for row in sorted(self._shelf.plugs, key=lambda row: (row.seq, row.line)):
            if row.adjustment_id != adjustment_id:
                continue
            what, amount = self._undone(row, posted[row.plug_id], left.get(row.plug_id, ZERO))
            if amount:
                place = (self._seq, len(self._plugs))
                self._plugs.append(further_row(posted[row.plug_id], amount, what, self._id, place))

    def _undone(self, row: PlugRow, posted: PlugRow, left: Decimal) -> tuple[What, Decimal]:
        """Return what undoes a row of a plug: never more than is left, and nothing of a plug that was taken back."""
        match row.what:
            case "posted":
                return "taken_back", quantity.negate(left)
            case "restored":
                return "taken_back", quantity.negate(min(left, row.amount, key=quantity.absolute))
            case "gave_way":
                gone = self._states.get(posted.adjustment_id or "") is AdjustmentState.REVERSED
                return "restored", ZERO if gone else quantity.negate(row.amount)
            case "taken_back":
                raise Refusal(f"plug {row.plug_id} was taken back and stays so; what is still missing is a new plug")

    def _take(self, entry_id: str) -> None:
        name = digest(self._id, str(len(self._reversals)), entry_id)
        line = len(self._reversals)
        self._reversals.append(Reversal(name, entry_id, self._id, self._adjustment.reason, self._seq, line))
        self._after.pop(entry_id, None)

    def _add(self, number: int, record: Fill | Movement | Order) -> None:
        entry_id = digest("adjusted", self._id, str(number))
        self._entries.append(Entry(entry_id, record, self._id, self._seq, len(self._entries)))
        self._after[entry_id] = self._entries[-1]

    def _refuse_known(self, kind: type[Fill] | type[Movement], name: str) -> None:
        if any(_is(one, kind, name) for one in self._after.values()):
            raise Refusal(f"already in the book: {'fill' if kind is Fill else 'movement'} {name}")

    def _refuse_unresolved(self, *names: str) -> None:
        for name in names:
            if is_unresolved(name):
                raise Refusal(f"nobody knows the name {name}: no adjustment may touch it")


def _is(one: Entry, kind: type[Fill] | type[Movement], name: str) -> bool:
    return isinstance(one.record, kind) and name_of(one.record) == name


def _same_record(left: Entry, right: Entry) -> bool:
    return type(left.record) is type(right.record) and name_of(left.record) == name_of(right.record)


def _moved(row: PlugRow) -> Moved:
    return Moved(row.key, row.amount, row.at)
