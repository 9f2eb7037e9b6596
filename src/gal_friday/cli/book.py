"""``gal-friday book``: the embedded book, fed from files, shown and handed out.

Every file is read and checked before the first entry is written, and all of them are one transaction.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bootstrap.settings import BookInFile, EmbeddedBook, Settings, load
from gal_friday.bootstrap.wire import OpenStore, account_of, book_of, open_store
from gal_friday.cli.again import carrying
from gal_friday.cli.columns import aligned, padded, table
from gal_friday.cli.exit_status import RECONCILED
from gal_friday.cli.feed import Feed, read_feed
from gal_friday.cli.files import write_new
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import STDIN, out, printable, say, write, write_json
from gal_friday.cli.suspense import drained_at, drained_line
from gal_friday.cli.unbooked import Unbooked, unbooked
from gal_friday.domain import quantity, words
from gal_friday.domain.aliases import renamed
from gal_friday.domain.give_way import suspense_in, written_out
from gal_friday.domain.instants import instant
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.domain.snapshot_json import write_snapshot
from gal_friday.ports.book import Appended

_BEGINNING = datetime.min.replace(tzinfo=UTC)

Files = Annotated[str, Parameter(help="Snapshot files, Kraken's ledgers.csv and trades.csv, or the ZIP of either.")]
Account = Annotated[str | None, Parameter(help="The account; where one is configured, it need not be named.")]
Target = Annotated[str | None, Parameter(help="The file to write; standard output without it.")]
Force = Annotated[bool, Parameter(help="Replace a file that is there.")]


class Imported(Struct, frozen=True):
    """What an import did."""

    account: str
    files: int
    new: int
    already_known: int
    version: int
    notes: tuple[str, ...]


def import_(*files: Files, account: Account = None, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Import what files hold: all of it, or nothing where one of them cannot be read."""
    if not files:
        raise BadUsage("name at least one file to import")
    settings = load(config)
    feed = read_feed(files)
    name = _fed(settings, account or feed.account)
    feed.check(name, settings.accounts[name].exchange)
    done, notes = asyncio.run(_imported(settings, name, feed))
    result = Imported(name, len(files), done.new, done.already_known, done.version, (*feed.notes, *notes))
    for note in result.notes:
        say(carrying(note, config))
    if as_json:
        write_json(result)
    else:
        known = f", {result.already_known} already known" if result.already_known else ""
        out().print(printable(f"{name}: {result.new} new{known}; the book is at version {result.version}"))
    return RECONCILED


def show(*, account: Account = None, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Show what the book holds: balances, positions, and how many records of each kind."""
    held = asyncio.run(_held(load(config), account))
    if as_json:
        write_json(_summary(held))
    else:
        _show(held)
    return RECONCILED


def export(
    file: Target = None,
    /,
    *,
    account: Account = None,
    force: Force = False,
    config: ConfigFile = None,
) -> int:
    """Write the book as a snapshot file, which `compare` reads and `book import` takes back."""
    data = write_snapshot(asyncio.run(_held(load(config), account)))
    if file is None or file == STDIN:
        write(data)
    else:
        write_new(Path(file), data, force=force)
        say(f"wrote {file}")
    return RECONCILED


def _fed(settings: Settings, account: str | None) -> str:
    """Return the account to feed; its book must be one that is kept here."""
    name, configured = account_of(settings, account)
    match configured.book:
        case EmbeddedBook():
            return name
        case BookInFile(path=path):
            raise BadUsage(f"the book of {name} is the file {path}, written by the trading system; nothing to import")


async def _imported(settings: Settings, name: str, feed: Feed) -> tuple[Appended, tuple[str, ...]]:
    store = await open_store(settings)
    try:
        begun = name in await store.book.accounts()
        opening = feed.opening(begun=begun)
        if opening is not None:
            return await store.book.open_with(opening), feed.opened()
        new = await _new(settings, name, feed, store) if begun else Unbooked(feed.fills, feed.movements, 0, ())
        done = await store.book.append(
            account=name,
            exchange=settings.accounts[name].exchange,
            fills=new.fills,
            movements=new.movements,
            orders=feed.orders,
        )
        released = await drained_at(store, name, done.version) if done.gave_way else ()
    finally:
        await store.close()
    known = done.already_known + new.already_known
    return replace(done, already_known=known), (
        *new.notes,
        *feed.left_out(begun=begun),
        *map(drained_line, released),
        *_replaced(done.replaced),
    )


def _replaced(names: Sequence[str]) -> tuple[str, ...]:
    """Say what a repair had booked before, and is what the trading system says from now on."""
    return (f"took the place of what a repair had booked: {', '.join(names)}",) if names else ()


async def _new(settings: Settings, name: str, feed: Feed, store: OpenStore) -> Unbooked:
    """Return what the book does not have yet, under the names that this configuration resolves."""
    held = await store.book.snapshot(account=name, since=_BEGINNING, scales=Scales())
    return unbooked(feed.fills, feed.movements, renamed(held, settings.aliases.table()))


async def _held(settings: Settings, account: str | None) -> Snapshot:
    name, configured = account_of(settings, account)
    store = await open_store(settings)
    try:
        book = book_of(name, configured, store)
        return await book.snapshot(account=name, since=_BEGINNING, scales=Scales())
    finally:
        await store.close()


def _summary(held: Snapshot) -> dict[str, Any]:
    return {
        "account": held.account,
        "exchange": held.exchange,
        "as_of": held.as_of,
        "version": held.version,
        "balances": [
            {"asset": row.asset, "wallet": row.wallet, "total": row.total, "held": row.held} for row in held.balances
        ],
        "positions": [
            {
                "instrument": row.instrument,
                "mode": row.mode,
                "quantity": row.quantity,
                "average_price": row.average_price,
            }
            for row in held.positions
        ],
        "orders": len(held.orders),
        "fills": len(held.fills),
        "movements": len(held.movements),
        "suspense": [written_out(line) for line in suspense_in(held.extra)],
        "notes": held.notes,
    }


def _show(held: Snapshot) -> None:
    console = out()
    version = f" · version {held.version}" if held.version else ""
    console.print(printable(f"{held.account} at {held.exchange} · {instant(held.as_of)}{version}"), style="bold")
    records = (("order", held.orders), ("fill", held.fills), ("movement", held.movements))
    console.print(", ".join(words.counted(len(rows), noun, f"{noun}s") for noun, rows in records))
    for line in _tables(held):
        console.print(printable(line))
    for note in held.notes:
        say(note)


def _tables(held: Snapshot) -> Iterator[str]:
    if held.balances:
        totals = [quantity.short(row.total) for row in held.balances]
        names = [f"{row.asset} {row.wallet}" for row in held.balances]
        yield from table((padded(["balance", *names]), aligned(["total", *totals])))
    if held.positions:
        sizes = [quantity.short(row.quantity) for row in held.positions]
        names = [f"{row.instrument} {row.mode} {row.position_id or ''}".rstrip() for row in held.positions]
        yield from table((padded(["position", *names]), aligned(["quantity", *sizes])))
    if lines := suspense_in(held.extra):
        names = [f"{line.name} {line.part}" for line in lines]
        sizes = [quantity.short(line.amount) for line in lines]
        plugs = [str(line.plugs) for line in lines]
        yield from table((padded(["suspense", *names]), aligned(["amount", *sizes]), aligned(["plugs", *plugs])))
