"""Do the rows of a ledger follow from each other? Row by row, through the running balance that each states.

    balance after a row = balance after the row before + amount − fee

Counted for every name under which the source lists the asset: two names of one wallet have two balances.
A source may list the rows of one moment in any order; they are put into the one in which they follow. A row
that does not follow proves that rows are missing before it. It says nothing of what came before the first row
or after the last one, and nothing here supplies what is missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.booking_order import put_in_order, stops_at
from gal_friday.domain.records import Movement

Counter = str | tuple[Asset, Wallet]
"""What a running balance counts: an asset as the source spells it, else an asset in a wallet."""


class Gap(Struct, frozen=True):
    """Rows are missing between two rows of one name."""

    name: str
    """The asset as the source spells it."""
    after: str
    """The id of the last row before the gap."""
    before: str
    """The id of the first row behind it."""
    at: datetime
    """When that row was booked."""
    amount: Decimal
    """What the missing rows add up to, fees taken off."""


class Link(NamedTuple):
    """One row in its place in the chain."""

    row: Movement
    step: Decimal
    """By how much the running balance changed: what the row says, and before it whatever is missing."""
    gap: Gap | None


_at = attrgetter("at")
_id = attrgetter("movement_id")


def when(row: Movement) -> tuple[datetime, str]:
    """Return by what rows are put in order before their running balances are asked: the instant, then the id."""
    return row.at, row.movement_id


def net(row: Movement) -> Decimal:
    """Return by how much the wallet changed: amount − fee."""
    return quantity.subtract(row.amount, row.fee) if row.fee else row.amount


def name_of(row: Movement) -> str:
    """Return the asset as the source spells it: what its running balance counts. Empty where it does not say."""
    return row.raw[0] if row.raw else ""


def gaps_of(rows: Iterable[Movement]) -> tuple[Gap, ...]:
    """Return where rows are missing, oldest first, of any number of wallets; a row listed twice counts once."""
    return tuple(sorted((gap for each in by_counter(rows).values() for gap in gaps_in(each)), key=_at))


def by_counter(rows: Iterable[Movement]) -> dict[Counter, list[Movement]]:
    """Return the rows, oldest first, by what their running balance counts; a row listed twice counts once."""
    once = {row.movement_id: row for row in rows}.values()
    return _by_name(sorted(once, key=_at))


def gaps_in(rows: list[Movement]) -> tuple[Gap, ...]:
    """Return where rows are missing among those of one counter, given oldest first; puts them into booking order."""
    # Nearly always there is none: nothing is built for that.
    if stops_at(rows) == len(rows):
        return ()
    put_in_order(rows)
    return tuple(link.gap for link in _walked(rows) if link.gap is not None)


def chained(rows: Iterable[Movement]) -> list[Link]:
    """Return the rows of one wallet in the order in which they follow from each other, oldest first."""
    listed = sorted(rows, key=_at)
    names = {name: _linked(each) for name, each in _by_name(listed).items()}
    if len(names) == 1:
        return next(iter(names.values()))
    # Each name keeps the places that its rows had among those of the others.
    places = {name: iter(links) for name, links in names.items()}
    return [next(places[_counts(row)]) for row in listed]


def in_booking_order(rows: Iterable[Movement]) -> tuple[Movement, ...]:
    """Return the rows of any number of wallets oldest first, those of each name as they follow from each other.

    Only rows of one name and moment change places, and only where their running balances say so.
    """
    listed = sorted(rows, key=_at)
    names = _by_name(listed)
    looked_at = [put_in_order(each) for each in names.values()]
    if not any(looked_at):
        return tuple(listed)
    ordered = {name: iter(each) for name, each in names.items()}
    return tuple(next(ordered[_counts(row)]) for row in listed)


def _by_name(rows: Iterable[Movement]) -> dict[Counter, list[Movement]]:
    names: dict[Counter, list[Movement]] = {}
    for row in rows:
        name = _counts(row)
        if name in names:
            names[name].append(row)
        else:
            names[name] = [row]
    return names


def _counts(row: Movement) -> Counter:
    """Return what the row's running balance counts: a name of the source, else an asset in a wallet."""
    return (row.raw[0] if row.raw else "") or (row.asset, row.wallet)


def _linked(rows: list[Movement]) -> list[Link]:
    links = list(_walked(rows))
    # Rows nearly always follow as they are listed: then they are walked along only once.
    return list(_walked(rows)) if any(link.gap for link in links) and put_in_order(rows) else links


def _walked(rows: Sequence[Movement]) -> Iterator[Link]:
    """Return the rows of one name, which are in order, as links."""
    add, subtract = quantity.EXACT.add, quantity.EXACT.subtract
    if rows:
        yield Link(rows[0], net(rows[0]), None)
    for last, row in zip(rows, islice(rows, 1, None), strict=False):
        step = subtract(row.amount, row.fee) if row.fee else row.amount
        balance, after = last.balance_after, row.balance_after
        if balance is None or after is None or add(balance, step) == after:
            yield Link(row, step, None)
        else:
            moved = subtract(after, balance)
            missing = subtract(moved, step)
            yield Link(row, moved, Gap(name_of(row), last.movement_id, row.movement_id, row.at, missing))
