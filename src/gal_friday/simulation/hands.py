"""What hands do to a book behind the back of everybody: rows deleted or changed, and all of it put back to a backup."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.structs import replace

from gal_friday.adapters.book_sql.memory import Kept
from gal_friday.adapters.book_sql.shelf import Entry
from gal_friday.domain import quantity
from gal_friday.domain.cause import Cause
from gal_friday.domain.records import Fill, Movement
from gal_friday.simulation.bot import CAUSES, Bot
from gal_friday.simulation.events import Logged
from gal_friday.simulation.planted import Planted, add
from gal_friday.simulation.service import Service

_REPAIRS = ("policy", "person")
_LATELY = timedelta(minutes=30)


def delete(bot: Bot, chance: Random) -> None:
    """Delete a fill or the rows of an event that was booked lately."""
    some = [one for one in _lately(bot) if one.heard.fills or one.heard.movements]
    if not some:
        return
    heard = chance.choice(some).heard
    gone = {_name(one) for one in (*heard.fills, *heard.movements)}
    if _rewritten(bot, [one for one in _book(bot).entries if _name(one.record) not in gone]):
        bot.plant("deleted", heard, CAUSES[heard.kind], heard.moved, heard.fills or heard.movements)


def change(bot: Bot, chance: Random) -> None:
    """Change the amount of a row that was booked lately."""
    some = [one for one in _lately(bot) if not one.heard.fills and len(one.heard.movements) == 1]
    if not some:
        return
    heard = chance.choice(some).heard
    (row,) = heard.movements
    wrong = replace(row, amount=quantity.multiply(row.amount, Decimal(10)))
    effects = heard.moved
    add(effects, (row.asset, row.wallet), quantity.negate(quantity.subtract(wrong.amount, wrong.fee)))
    changed = [one._replace(record=wrong) if one.record == row else one for one in _book(bot).entries]
    if _rewritten(bot, changed):
        bot.plant("changed", heard, Cause.WRONG_AMOUNT, effects, (row,))


def _book(bot: Bot) -> Kept:
    book = bot.book.kept(bot.account)
    assert book is not None, "it was written to"
    return book


def _rewritten(bot: Bot, entries: list[Entry]) -> bool:
    """Let the book have these entries; say whether it had others."""
    book = _book(bot)
    other = entries != book.entries
    book.rewrite(entries)
    return other


def _lately(bot: Bot) -> list[Logged]:
    """Return what happened and was booked lately and rightly, and is nothing's error since."""
    since, wrong = bot.clock.now() - _LATELY, {key.partition(":")[2] for one in bot.planted for key in one.keys}
    some = []
    for one in reversed(bot.log):
        if one.at < since:
            break
        heard = one.heard
        records = [(each.at, each.fill_id) for each in heard.fills]
        records += [(each.at, each.movement_id) for each in heard.movements]
        if one.planted is None and all(at >= since and name not in wrong for at, name in records):
            some.append(one)
    return some


def _name(record: object) -> str:
    match record:
        case Fill(fill_id=name) | Movement(movement_id=name):
            return name
        case _:
            return ""


class Backup:
    """Everything that is kept, as it stood at one instant."""

    def __init__(self, service: Service, at: datetime) -> None:
        """Copy it. Records are frozen, so that only what holds them is copied."""
        self.at = at
        self._kept = (
            service.book, service.adjustments, service.desk.store, service.desk.reviews, service.schedules,
            service.leases, service.alerts, service.watched,
        )  # fmt: skip
        self._copies = [_copied(vars(one)) for one in self._kept]

    def put_back(self, bots: Iterable[Bot]) -> None:
        """Let everything stand as it did, and note what the books lack now."""
        for one, stood in zip(self._kept, self._copies, strict=True):
            vars(one).update(_copied(stood))
        for bot in bots:
            self._forgotten(bot)

    def _forgotten(self, bot: Bot) -> None:
        now, lost = bot.clock.now(), [one for one in bot.log if one.at >= self.at]
        bot.log = [one for one in bot.log if one.at < self.at]
        gone = {_name(record) for one in lost for record in (*one.heard.fills, *one.heard.movements)}
        for planted in [one for one in bot.planted if one.over is not None and one.over >= self.at]:
            # What was put right since is wrong again, as far as it is not gone altogether.
            still = any(one.keys == planted.keys and one.over is None for one in bot.planted)
            if planted.by in _REPAIRS and not still and not any(key.partition(":")[2] in gone for key in planted.keys):
                bot.planted.append(_again(planted, now))
        wrote = {id(one.planted) for one in lost}
        for planted in [one for one in bot.planted if one.over is None]:
            # What was wrong with a record is over with it, however often: that it is not there is an error of its own.
            if id(planted) in wrote or any(key.partition(":")[2] in gone for key in planted.keys):
                planted.over, planted.by = now, "a backup"
        for one in lost:
            if one.planted is None or one.planted.truth:
                bot.lacks(one.heard, "restored")


def _again(planted: Planted, now: datetime) -> Planted:
    """Return an error that had been put right, and is there again."""
    causes = planted.causes | {Cause.STALE_BOOK}
    return replace(planted, lie="restored", at=now, causes=causes, over=None, by="", right=frozenset())


def _copied(value: Any) -> Any:
    match value:
        case dict():
            return {key: _copied(one) for key, one in value.items()}
        case list():
            return [*value]
        case set():
            return {*value}
        case Kept():
            other = copy(value)
            vars(other).update(_copied(vars(value)))
            return other
        case _:
            return value
