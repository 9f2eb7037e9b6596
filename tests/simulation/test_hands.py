"""What a backup leaves wrong in a book, of which hands had taken something since."""

import asyncio
from random import Random  # noqa: TID251 - seeded

from gal_friday.domain.cause import Cause
from gal_friday.simulation import hands
from gal_friday.simulation.bot import Bot, Errs
from gal_friday.simulation.tally import off_by, planted_effects
from tests.simulation.test_judge import World


async def test_what_was_deleted_since_a_backup_is_missing_once_and_not_twice() -> None:
    world = World()
    kraken, service = world.kraken, world.service
    bot = Bot(kraken, "a0", service.book, Random(1), world.clock, Errs())
    kraken.deposit("a0", "ZUSD", "1000")
    for heard in bot.begin():
        await bot.write(heard)
    backup = hands.Backup(service, world.clock.now())
    world.clock.advance(60)
    kraken.deposit("a0", "ZUSD", "70")
    bot.hear("deposit")
    world.clock.advance(5)
    await written(bot)
    hands.delete(bot, Random(1))
    assert [one.lie for one in bot.planted] == ["deleted"]
    backup.put_back([bot])
    (left,) = [one for one in bot.planted if one.over is None]
    assert left.lie == "restored"
    assert left.causes == {Cause.UNBOOKED_DEPOSIT, Cause.STALE_BOOK}
    held = await service.book.export("a0")
    ((place, amount),) = planted_effects(bot.planted, held).items()
    assert off_by(held, {place: kraken.account("a0").balance("ZUSD")}) == {place: amount}


async def written(bot: Bot) -> None:
    """Wait until the bot has written down what it heard."""
    wrote = asyncio.Event()
    bot.also = lambda account, heard: wrote.set()
    writing = asyncio.create_task(bot.writing())
    await wrote.wait()
    writing.cancel()
