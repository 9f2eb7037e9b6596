"""Which of the records that files bring the book does not have yet.

The book takes every content of an id as an entry of its own, because a trading system that says two things has
said two things. A file that a person imports is another matter: a fill that the bot has booked already, told
again by the exchange's export in more words, is known. One that is told in other terms is left out and named:
the book is never made to contradict itself by an import.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Movement
from gal_friday.domain.roll_up import legs_of
from gal_friday.domain.snapshot import Snapshot

_NAMED_MAX = 5

_Sums = dict[tuple[Asset, Wallet], Decimal]


class Unbooked(Struct, frozen=True):
    """What there is to append, how much was known, and what was left out although the book says otherwise."""

    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    already_known: int
    notes: tuple[str, ...]


def unbooked(fills: Sequence[Fill], movements: Sequence[Movement], held: Snapshot) -> Unbooked:
    """Return which of these records are new to the book as *held* shows it, derived legs included."""
    booked = {fill.fill_id: fill for fill in held.fills}
    new_fills = tuple(fill for fill in fills if fill.fill_id not in booked)
    told_otherwise = [
        fill.fill_id for fill in fills if fill.fill_id in booked and not _same_fill(booked[fill.fill_id], fill)
    ]
    new_movements: list[Movement] = []
    events_of_book = _by_event(held.movements)
    for event, rows in _by_event(movements).items():
        new, contradicts = _new_rows(rows, events_of_book.get(event, []), booked.get(event))
        new_movements += new
        told_otherwise += [event] if contradicts else []
    known = len(fills) + len(movements) - len(new_fills) - len(new_movements)
    return Unbooked(new_fills, tuple(new_movements), known, _notes(told_otherwise))


def _same_fill(booked: Fill, told: Fill) -> bool:
    """Say whether two fills of one id have the same terms; a fee that one of them does not know is no term."""
    terms = ((one.instrument, one.side, one.quantity, one.price) for one in (booked, told))
    if len(set(terms)) > 1:
        return False
    return booked.fee is None or told.fee is None or (booked.fee, booked.fee_asset) == (told.fee, told.fee_asset)


def _by_event(movements: Iterable[Movement]) -> dict[str, list[Movement]]:
    events: dict[str, list[Movement]] = {}
    for row in movements:
        events.setdefault(_event(row), []).append(row)
    return events


def _event(row: Movement) -> str:
    is_leg = row.refers_to is not None and row.kind in FILL_LEG_KINDS
    return row.refers_to if is_leg and row.refers_to else row.movement_id


def _new_rows(told: list[Movement], booked: list[Movement], fill: Fill | None) -> tuple[list[Movement], bool]:
    """Return which rows of one event to append, all or none, and whether the book contradicts them.

    All or none: movements that are recorded for a fill stand in place of all the legs derived from it.
    """
    if not booked:
        return told, False
    if _sums(told) == _sums(booked):
        return [], False
    derived = {leg.movement_id for leg in legs_of(fill)} if fill is not None else set()
    if {row.movement_id for row in booked} <= derived:
        return told, False
    return [], True


def _sums(rows: Iterable[Movement]) -> _Sums:
    sums: _Sums = {}
    for row in rows:
        key = (row.asset, row.wallet)
        sums[key] = quantity.add(sums.get(key, quantity.ZERO), quantity.subtract(row.amount, row.fee))
    return {key: amount for key, amount in sums.items() if amount}


def _notes(told_otherwise: Sequence[str]) -> tuple[str, ...]:
    if not told_otherwise:
        return ()
    names = list(dict.fromkeys(told_otherwise))
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    listed = ", ".join(names[:_NAMED_MAX]) + more
    return (f"left out, because the book tells it otherwise: {listed}; `gal-friday run` shows how they differ",)
