"""One world from one seed: accounts that trade, bots that err, an exchange that lies, and the service over all of them.

    outcome = simulated(seed=7, hours=24, accounts=2)

The same seed makes the same world, to the last digit of the last report.
"""

import asyncio
import gc
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from msgspec import Struct

from gal_friday.adapters.clock import VirtualClock, VirtualLoop
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.service import Service as Answers
from gal_friday.domain.cause import Cause
from gal_friday.domain.policy import Policy
from gal_friday.domain.schedule import Timing
from gal_friday.simulation import hands, lies
from gal_friday.simulation.alerts import NAMES, KeptAlerts, Listening, Pager
from gal_friday.simulation.baselines.beside import Score
from gal_friday.simulation.baselines.runs import Baselines
from gal_friday.simulation.books import Books
from gal_friday.simulation.bot import Bot, Errs
from gal_friday.simulation.life import PAIRS, Life
from gal_friday.simulation.people import People
from gal_friday.simulation.processes import Processes
from gal_friday.simulation.service import Service
from gal_friday.simulation.storms import Storms
from gal_friday.simulation.tally import Tally
from gal_friday.simulation.trouble import KINDS, Trouble
from gal_friday.simulation.wire import Wire

START = datetime(2026, 3, 1, tzinfo=UTC)
_BEFORE = timedelta(minutes=10)
"""So long everything has been there before anybody looks."""
CALM = timedelta(hours=1)
"""So long nothing happens and nobody lies at the end: then everything has to be in order."""
_JUMPS = (-40.0, -3.0, -0.4, 0.4, 3.0, 40.0)
"""Seconds by which the clocks of the machines jump, before they are set right again."""


class Settings(Struct, frozen=True, kw_only=True):
    """How large and how wild the worlds are."""

    hours: float = 24.0
    accounts: int = 1
    pace_seconds: float = 60.0
    """Between two events of one account, on average."""
    every_minutes: float = 15.0
    """Between two runs of one account."""
    errors: float = 0.01
    """How many of the events go wrong in the book, about."""
    baselines: bool = False
    """Whether simpler ways to reconcile live in the same worlds."""


class Outcome(Struct):
    """What one world came to."""

    seed: int
    settings: Settings
    tally: Tally
    events: int
    lies: tuple[str, ...]
    """Faults of the exchange, and troubles of the service, that this world had."""
    beside: tuple[Score, ...] = ()
    """What came of the product's books and of the baselines, where there were some."""


def simulated(seed: int, settings: Settings) -> Outcome:
    """Let the world of this seed live, and return what was counted."""

    async def lived() -> Outcome:
        return await _World(seed, settings).lived()

    with _nothing_collected(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(lived())


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Let no circle of objects be collected while a world lives: when that is depends on what else is in memory."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)  # all that was made since
        if collects:
            gc.enable()


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End what goes on for ever; a mistake that ended one of them before is raised."""
    for task in tasks:
        task.cancel()
    for done in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(done, Exception):
            raise done


class _World:
    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        self.clock, self.machines = VirtualClock(START), VirtualClock(START)
        self.tally, self.events = Tally(), 0
        self.exchange = Exchange(self.clock.now, seed=seed)
        for pair, (price, _) in PAIRS.items():
            self.exchange.set_price(pair, price)
        self.exchange.set_price("DOTUSD", "6.0000")
        self.exchange.set_price("ATOMUSD", "4.0000")
        names = [f"a{number}" for number in range(settings.accounts)]
        for name in names:
            self.exchange.open_account(name)
        answers = Answers(self.exchange)
        self.storms = Storms(self.exchange, answers.faults, self._chance("storms"))
        self._drawn = self._chance("trouble")
        troubles, also = self._drawn.sample(KINDS, self._drawn.randint(0, len(KINDS))), lies.drawn(self._chance)
        self.lies = (*self.storms.names, *sorted(troubles), *also)
        self.trouble = Trouble(frozenset(troubles))
        policy, timing = Policy(), Timing(interval=timedelta(minutes=settings.every_minutes))
        wire = Wire(answers, self._chance("wire"), self.clock, answered=self._overhear)
        alerts = KeptAlerts()
        self.pagers = [Pager(name, alerts, self._chance(name), self.clock) for name in NAMES]
        self.service = Service(
            self.exchange, names, wire, self.machines,
            policy=policy, timing=timing, seen=self._seen, alerts=alerts, channels=self.pagers,
        )  # fmt: skip
        self.listening = Listening(self.service.watch(), self.pagers)
        self.processes = Processes(self.service, self.trouble, self._chance, self.clock)
        self.lives = {name: Life(self.exchange, name, self._chance(f"{name} life"), self.clock) for name in names}
        self.bots = {name: self._bot(name) for name in names}
        for bot in self.bots.values():
            bot.others = [one for one in self.bots.values() if one is not bot]
        self.baselines = self._beside() if settings.baselines else None
        self.books = Books(
            self.exchange, self.service, self.bots, self.tally, policy, self.clock, stale_at=lambda: wire.stale_at
        )
        differing = self._chance("people_differ happens") if "people_differ" in self.lies else None
        self.people = People(
            self.service,
            lambda: self.processes.line("people"),
            self._chance("people"),
            taken_back=self.books.mended,
            differing=differing,
        )

    def _beside(self) -> Baselines:
        baselines = Baselines(self.exchange, self.bots, self.clock)
        self.service.hearing = baselines.hearing
        for bot in self.bots.values():
            bot.also = baselines.writes
        return baselines

    def _chance(self, of: str) -> Random:
        return Random(f"{self.seed} {of}")

    def _bot(self, name: str) -> Bot:
        chance = self._chance(f"{name} bot")
        kinds = Errs.__struct_fields__
        drawn = chance.sample(kinds, chance.randint(0, len(kinds)))
        errs = Errs(**{error: self.settings.errors * chance.choice((0.3, 1.0)) for error in drawn})
        return Bot(self.exchange, name, self.service.book, chance, self.clock, errs)

    async def lived(self) -> Outcome:
        for name, bot in self.bots.items():
            self.lives[name].begin()
            for heard in bot.begin():
                await bot.write(heard)
        await self.clock.sleep(_BEFORE.total_seconds())
        end = self.clock.now() + timedelta(hours=self.settings.hours)
        lives = [self._life(name, end) for name in self.lives]
        others = [*(bot.writing() for bot in self.bots.values()), self.people.run(), self._listen()]
        tasks = [asyncio.create_task(one) for one in others]
        wild = [asyncio.create_task(one) for one in self._goes_wrong()]
        await self.processes.serve(asyncio.gather(*lives))
        await _ended(wild)
        self._calm()
        await self.processes.serve(asyncio.create_task(self.clock.sleep(CALM.total_seconds())))
        await _ended(tasks)
        await self.books.close()
        self.tally.notices = self.listening.heard
        self.tally.never_told += await self.listening.never()
        self.tally.told_twice += self.listening.twice()
        beside = (
            self.baselines.outcome(self.tally, {name: await self.books.held(name) for name in self.bots})
            if self.baselines
            else ()
        )
        return Outcome(self.seed, self.settings, self.tally, self.events, self.lies, beside)

    def _calm(self) -> None:
        self.storms.calm()
        self.trouble.calm()
        for one in self.pagers:
            one.calm()
        for name, bot in self.bots.items():
            self.lives[name].catch_up(all_of_it=True)
            bot.errs = Errs()
            bot.hear("rollover")
            bot.all_arrives()

    # Who lives in it.

    async def _life(self, name: str, end: datetime) -> None:
        life, bot, chance = self.lives[name], self.bots[name], self._chance(f"{name} pace")
        while True:
            await self.clock.sleep(chance.expovariate(1 / self.settings.pace_seconds))
            if self.clock.now() >= end:
                return
            life.catch_up()
            bot.hear("rollover")
            self.events += 1
            if chance.random() < self.settings.errors * 0.5:
                self._by_hand(life, bot, chance)
            else:
                bot.hear(life.happen())
            self.books.judges[name].on_the_way(self._on_the_way(name), self.clock.now())

    def _overhear(self) -> None:
        """Let bots hear at once of what happened while an answer was made, and not with the next event of their own."""
        for bot in self.bots.values():
            bot.hear("trade")

    def _by_hand(self, life: Life, bot: Bot, chance: Random) -> None:
        match chance.randrange(9):
            case 0:
                bot.ghost()
            case 1:
                bot.phantom()
            case 2:
                bot.down_until = self.clock.now() + timedelta(minutes=chance.choice((2, 5, 10)))
            case 3:
                hands.delete(bot, chance)
            case 4:
                hands.change(bot, chance)
            case drawn:
                do, lie, cause = (
                    (life.manual_trade, "manual_trade", Cause.MANUAL_TRADE),
                    (life.manual_order, "manual_order", Cause.FOREIGN_ORDER),
                    (life.liquidated, "liquidation", Cause.LIQUIDATION),
                    (life.delisted, "delisting", Cause.DELISTING),
                )[drawn - 5]
                lies.unheard(bot, lie, cause, do)

    def _on_the_way(self, name: str) -> set[str]:
        pending = self.exchange.account(name).pending_out
        return {self.exchange.instruments.asset(each).modern for each, amount in pending.items() if amount}

    # What goes wrong around it.

    def _goes_wrong(self) -> Iterable[Coroutine[Any, Any, None]]:
        yield from (self._weather(), self._troubles(), self._clocks(), self._backups())
        if "silent_adjustments" in self.lies:
            bots, chance = [*self.bots.values()], self._chance("silent_adjustments happen")
            yield lies.adjust_silently(self.exchange, bots, chance, self.clock)
        if "renames" in self.lies:
            yield lies.rename(self.exchange, self._chance("renames happen"), self.clock)
        if "nonce_races" in self.lies:
            yield lies.race_nonces([*self.service.keys.values()], self._chance("nonce_races happen"), self.clock)

    async def _weather(self) -> None:
        while True:
            self.storms.change()
            if "channels" in self.trouble.kinds:
                for one in self.pagers:
                    one.change()
            await self.clock.sleep(600)

    async def _troubles(self) -> None:
        while True:
            await self.clock.sleep(self.trouble.change(self._drawn).total_seconds())

    async def _clocks(self) -> None:
        """Let the clocks of the machines jump, and set them right a while later."""
        chance = self._chance("clocks")
        while "clock_jumps" in self.trouble.kinds:
            await self.clock.sleep(chance.expovariate(1 / 10_000))
            seconds = chance.choice(_JUMPS)
            self.machines.jump(seconds)
            try:
                await self.clock.sleep(chance.choice((60, 1_200)))
            finally:
                self.machines.jump(-seconds)

    async def _backups(self) -> None:
        """Put everything that is kept back to how it stood a while ago, now and then."""
        chance = self._chance("backups")
        while "restored" in self.trouble.kinds:
            await self.clock.sleep(chance.expovariate(1 / 20_000))
            await self.books.mended()
            backup = hands.Backup(self.service, self.clock.now())
            beside = self.baselines.kept() if self.baselines else None
            await self.clock.sleep(chance.choice((300, 1_200, 3_600)))
            self.processes.kill()
            backup.put_back(self.bots.values())
            if self.baselines and beside:
                self.baselines.put_back(beside)
            self.listening.put_back()
            await self.books.restored()

    async def _listen(self) -> None:
        while True:
            await self.clock.sleep(600)
            await self.listening.look()

    # What is counted.

    async def _seen(self, *run: Any) -> None:
        await self.books.saw(*run)
