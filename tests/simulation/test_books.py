"""What is held against the truth has reached the book, and the truth is in some record."""

from random import Random  # noqa: TID251 - seeded

from gal_friday.domain.policy import Policy
from gal_friday.simulation.books import Books
from gal_friday.simulation.bot import Bot, Errs
from gal_friday.simulation.life import PAIRS, Life
from gal_friday.simulation.tally import Tally
from tests.simulation.test_hands import written
from tests.simulation.test_judge import World


async def test_what_is_still_on_its_way_into_a_book_is_not_right_there() -> None:
    world = World()
    bot = Bot(world.kraken, "a0", world.service.book, Random(1), world.clock, Errs())
    books = Books(
        world.kraken, world.service, {"a0": bot}, Tally(), Policy(), world.clock, stale_at=world.clock.now
    )  # fmt: skip
    world.kraken.deposit("a0", "ZUSD", "1000")
    for heard in bot.begin():
        await bot.write(heard)
    bot.phantom()
    (planted,) = bot.planted
    for reached in (False, True):
        await books.look("a0", "policy")
        assert (planted.coming, planted.over) == (not reached, None)
        world.clock.advance(5)
        if not reached:
            await written(bot)


def test_no_withdrawal_is_pending_when_everything_arrives() -> None:
    world = World()
    life = Life(world.kraken, "a0", Random(3), world.clock)
    life.begin()
    for pair, (price, _) in PAIRS.items():
        world.kraken.set_price(pair, price)
    owner = world.kraken.account("a0")
    while not any(owner.pending_out.values()):
        life.happen()
    life.catch_up()
    assert any(owner.pending_out.values())
    life.catch_up(all_of_it=True)
    assert not any(owner.pending_out.values())
