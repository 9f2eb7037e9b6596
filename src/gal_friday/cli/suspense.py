"""Plugs that gave way, in words: where one stood for a record, the record moves the book by what is left of it."""

from collections.abc import Sequence

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.cli.columns import signed
from gal_friday.domain import quantity
from gal_friday.domain.give_way import Drained, drained, suspense_in
from gal_friday.domain.snapshot import Scales


async def drained_at(opened: OpenStore, account: str, version: int) -> Sequence[Drained]:
    """Return what plugs gave way to when the book came to this version.

    Raises:
        BookFailed: the book cannot be read.
    """
    since, scales = system_clock().now(), Scales()
    before = await opened.book.snapshot(account=account, since=since, scales=scales, version=str(version - 1))
    after = await opened.book.snapshot(account=account, since=since, scales=scales, version=str(version))
    return drained(suspense_in(before.extra), suspense_in(after.extra))


def drained_line(one: Drained) -> str:
    """Return what gave way, in one line."""
    left = f"suspense {quantity.short(one.before)} → {quantity.short(one.after)}"
    return f"{one.key}  a plug stood for it and gave way: {left} ({signed(one.change)})"
