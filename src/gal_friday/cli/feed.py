"""What files bring to the embedded book: read, checked against each other, and put together.

Nothing is written here. A record that two files tell alike is one record; told in two ways, it is refused,
because the book could never take it back. Twice within one file it stays twice: that is what its writer believes.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bootstrap.exports import exports_in
from gal_friday.cli.files import UnusableFile, head, snapshot_in, title
from gal_friday.cli.options import BadUsage
from gal_friday.cli.output import STDIN
from gal_friday.domain.give_way import said, suspense_in
from gal_friday.domain.records import Fill, Kind, Movement, Order
from gal_friday.domain.snapshot import Coverage, Snapshot
from gal_friday.ports.errors import ExchangeMalformed

Row = TypeVar("Row", Fill, Movement, Order)


class Feed(Struct, frozen=True, kw_only=True):
    """Everything that the files bring."""

    snapshots: dict[str, Snapshot]
    """The snapshot files by name."""
    files: int
    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    orders: tuple[Order, ...]
    notes: tuple[str, ...]

    @property
    def account(self) -> str | None:
        """The account that the files name, where they name one."""
        names = {snapshot.account for snapshot in self.snapshots.values()}
        return names.pop() if len(names) == 1 else None

    def check(self, account: str, exchange: str) -> None:
        """Refuse files of the other side, of another account or of another exchange.

        Raises:
            BadUsage: names the file.
        """
        for name, snapshot in self.snapshots.items():
            if snapshot.side != "internal":
                raise BadUsage(f"{title(name)} is the exchange's side; a book is fed from the internal side")
            if (snapshot.account, snapshot.exchange) != (account, exchange):
                raise BadUsage(
                    f"{title(name)} is of account {snapshot.account!r} at {snapshot.exchange!r}, "
                    f"not of {account!r} at {exchange!r}; name its account with --account"
                )

    def opening(self, *, begun: bool) -> Snapshot | None:
        """Return the snapshot that a book can begin from; None where it has begun, or where none was given.

        Raises:
            BadUsage: other files came with it: which of their records its balances include, nobody can tell.
        """
        opening = [(name, one) for name, one in self.snapshots.items() if _states_everything(one)]
        if begun or not opening:
            return None
        if self.files > 1:
            raise BadUsage(f"the book would begin with the balances in {title(opening[0][0])}; import that file first")
        return opening[0][1]

    def opened(self) -> tuple[str, ...]:
        """Return what is to be known about a book that begins from these files, one sentence each."""
        lines = [said(line) for one in self.snapshots.values() for line in suspense_in(one.extra)]
        return tuple(
            f"{line}: part of the opening from now on, and no plug any more; a record that it stood for adds to it"
            for line in lines
        )

    def left_out(self, *, begun: bool) -> tuple[str, ...]:
        """Return what an append does not book, one sentence each, with the way out."""
        stated = [title(name) for name, one in self.snapshots.items() if one.balances or one.positions]
        way_out = "they follow from its records" if begun else "begin it from a file that covers both in total"
        said = [f"{name}: balances and positions were not booked; {way_out}" for name in stated]
        if not (self.fills or self.movements or self.orders):
            said.append("the files hold no record; the book is as it was")
        elif not begun and not stated:
            said.append("the book begins with these records: its balances follow from them alone")
        return tuple(said)


def read_feed(names: Sequence[str]) -> Feed:
    """Return what these files hold together; nothing is written.

    Raises:
        UnusableFile: a file cannot be read, or is nothing that can be imported.
        MalformedSnapshot: a snapshot file cannot be read exactly.
        BadUsage: two files tell one record in two ways.
    """
    names = list(dict.fromkeys(names))
    snapshots = {name: snapshot_in(name) for name in names if _is_snapshot(name)}
    paths = [Path(name) for name in names if name not in snapshots]
    try:
        exports = exports_in(paths)
    except ExchangeMalformed as wrong:
        raise UnusableFile(str(wrong)) from wrong
    told = list(snapshots.values())
    return Feed(
        snapshots=snapshots,
        files=len(names),
        fills=_together([*(one.fills for one in told), exports.fills], lambda row: row.fill_id),
        movements=_together([*(one.movements for one in told), exports.movements], lambda row: row.movement_id),
        orders=_together([one.orders for one in told], _state_of),
        notes=exports.notes,
    )


def _state_of(order: Order) -> str:
    """Return what makes an order's entry the same: an order may be told again, in a later state."""
    return f"{order.name} {order.status} {order.filled} {order.updated_at}"


def _is_snapshot(name: str) -> bool:
    if name == STDIN:
        return True
    beginning = head(name)
    if beginning.startswith(b"<"):
        raise UnusableFile(f"{name} is a web page or XML; was an error page saved in its place?")
    return beginning.startswith(b"{")


def _states_everything(snapshot: Snapshot) -> bool:
    coverage = snapshot.coverage
    return coverage.of(Kind.BALANCES) is coverage.of(Kind.POSITIONS) is Coverage.TOTAL


def _together(lists: Iterable[Sequence[Row]], name_of: Callable[[Row], str]) -> tuple[Row, ...]:
    """Return the rows of all lists, leaving out what an earlier list has told already."""
    found: list[Row] = []
    known: dict[str, Row] = {}
    for rows in lists:
        for row in rows:
            earlier = known.get(name_of(row))
            if earlier is None:
                found.append(row)
            elif _essence(earlier) != _essence(row):
                raise BadUsage(f"two files tell {name_of(row)} in two ways; import the one that is right")
        known |= {name_of(row): row for row in rows}
    return tuple(found)


def _essence(row: Row) -> Row:
    """Return the record without what a file says beside it."""
    return replace(row, raw=(), extra=None)
