"""One world from one seed: accounts that trade, bots that err, an exchange that lies, and the service over all of them.

    outcome = simulated(seed=7, hours=24, accounts=2)

The same seed makes the same world, to the last digit of the last report.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from msgspec import Struct

from gal_friday.adapters.clock import VirtualClock, VirtualLoop
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.service import Service as Answers
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.schedule import Timing
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.simulation.bot import Bot, Errs
from gal_friday.simulation.events import Scribe
from gal_friday.simulation.life import PAIRS, Life
from gal_friday.simulation.people import People
from gal_friday.simulation.planted import Place, add
from gal_friday.simulation.service import Service
from gal_friday.simulation.storms import Storms
from gal_friday.simulation.tally import Judge, Tally, off_by, planted_effects, right_keys
from gal_friday.simulation.wire import Wire

START = datetime(2026, 3, 1, tzinfo=UTC)
_BEFORE = timedelta(minutes=10)
"""So long everything has been there before anybody looks."""
CALM = timedelta(hours=1)
"""So long nothing happens and nobody lies at the end: then everything has to be in order."""
_ERRORS = ("missed", "doubled", "late", "wrong_side", "wrong_amount", "wrong_price", "unbooked_fee")


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


class Outcome(Struct):
    """What one world came to."""

    seed: int
    settings: Settings
    tally: Tally
    events: int
    lies: tuple[str, ...]
    """Faults of the exchange that this world had."""


def simulated(seed: int, settings: Settings) -> Outcome:
    """Let the world of this seed live, and return what was counted."""

    async def lived() -> Outcome:
        return await _World(seed, settings).lived()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(lived())


class _World:
    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        self.clock = VirtualClock(START)
        self.tally, self.events = Tally(), 0
        self.exchange = Exchange(self.clock.now, seed=seed)
        for pair, (price, _) in PAIRS.items():
            self.exchange.set_price(pair, price)
        self.exchange.set_price("DOTUSD", "6.0000")
        names = [f"a{number}" for number in range(settings.accounts)]
        for name in names:
            self.exchange.open_account(name)
        answers = Answers(self.exchange)
        chance = Random(f"{seed} storms")
        self.storms = Storms(self.exchange, answers.faults, chance)
        policy = Policy()
        timing = Timing(interval=timedelta(minutes=settings.every_minutes))
        wire = Wire(answers, Random(f"{seed} wire"), self.clock)
        self.service = Service(
            self.exchange, names, wire, self.clock, policy=policy, timing=timing, seen=self._seen
        )  # fmt: skip
        self._ends = Random(f"{seed} ends")
        self.people = People(self.service, Random(f"{seed} people"), self._approved)
        self.lives = {name: Life(self.exchange, name, Random(f"{seed} {name} life"), self.clock) for name in names}
        self.bots = {name: self._bot(name) for name in names}
        self.judges = {name: Judge(bot.planted, self.tally, policy) for name, bot in self.bots.items()}

    def _bot(self, name: str) -> Bot:
        chance = Random(f"{self.seed} {name} bot")
        drawn = chance.sample(_ERRORS, chance.randint(0, len(_ERRORS)))
        errs = Errs(**{error: self.settings.errors * chance.choice((0.3, 1.0)) for error in drawn})
        return Bot(self.exchange, name, self.service.book, chance, self.clock, errs)

    async def lived(self) -> Outcome:
        for name, bot in self.bots.items():
            self.lives[name].begin()
            for heard in bot.begin():
                await bot.write(heard)
        await self.clock.sleep(_BEFORE.total_seconds())
        end = self.clock.now() + timedelta(hours=self.settings.hours)
        living = [asyncio.create_task(self._life(name, end)) for name in self.lives]
        writing = [asyncio.create_task(self._writing(bot)) for bot in self.bots.values()]
        weather = asyncio.create_task(self._weather(end))
        people = asyncio.create_task(self.people.run())
        await self._serve(asyncio.gather(*living, weather))
        for bot in self.bots.values():
            bot.all_arrives()
        await self._serve(asyncio.create_task(self.clock.sleep(CALM.total_seconds())))
        for task in (*writing, people):
            task.cancel()
        for name in self.bots:
            await self._close(name)
        return Outcome(self.seed, self.settings, self.tally, self.events, tuple(self.storms.names))

    async def _serve(self, until: asyncio.Future[Any]) -> None:
        """Let the service run until then; its process ends now and then, and a new one begins."""
        while not until.done():
            async with self.service.running():
                hours = self._ends.choice((1, 3, 30))
                await asyncio.wait((until,), timeout=hours * 3600 * self._ends.random())
        await until

    # Who lives in it.

    async def _life(self, name: str, end: datetime) -> None:
        life, bot, chance = self.lives[name], self.bots[name], Random(f"{self.seed} {name} pace")
        while True:
            await self.clock.sleep(chance.expovariate(1 / self.settings.pace_seconds))
            if self.clock.now() >= end:
                return
            life.catch_up()
            bot.hear("rollover")
            self.events += 1
            if chance.random() < self.settings.errors * 0.3:
                self._by_hand(life, bot, chance)
            else:
                bot.hear(life.happen())
            self.judges[name].in_flight = self._in_flight(name)

    def _by_hand(self, life: Life, bot: Bot, chance: Random) -> None:
        match chance.randrange(5):
            case 0:
                bot.ghost()
            case 1:
                bot.phantom()
            case 4:
                bot.down_until = self.clock.now() + timedelta(minutes=chance.choice((2, 5, 10)))
            case drawn:
                bot.deaf = True
                (life.manual_trade if drawn == 2 else life.manual_order)()
                bot.hear("trade")
                bot.deaf = False

    async def _writing(self, bot: Bot) -> None:
        while True:
            await self.clock.sleep(0.5)
            for heard in bot.due(self.clock.now()):
                await bot.write(heard)

    async def _weather(self, end: datetime) -> None:
        while self.clock.now() < end:
            self.storms.change()
            await self.clock.sleep(600)
        self.storms.calm()

    def _in_flight(self, name: str) -> set[str]:
        pending = self.exchange.account(name).pending_out
        return {self.exchange.instruments.asset(each).modern for each, amount in pending.items() if amount}

    # What is counted.

    async def _seen(self, report: ReconciliationReport, began: datetime, calls: int) -> None:
        self.judges[report.account].saw(report, began, self.clock.now(), calls)
        if report.auto_corrections:
            await self._mended(report.account, "policy")
        known = await self.service.desk.store.open_discrepancies(report.account)
        self.judges[report.account].remembers(report, {str(one.key) for one in known})

    async def _approved(self, name: str) -> None:
        await self._mended(name, "person")

    async def _mended(self, name: str, by: str) -> None:
        """Note what is right in the book now."""
        doubtful = [one for one in self.bots[name].planted if one.over is None]
        held = await self._held(name) if doubtful else None
        for planted in doubtful:
            assert held is not None, "it was read where anything is doubtful"
            planted.right = right_keys(planted, held)
            if len(planted.right) == len(planted.keys):
                planted.over, planted.by = self.clock.now(), by

    async def _close(self, name: str) -> None:
        """Hold the book against the exchange once more, by itself: whatever is off must be what was planted."""
        await self._mended(name, "end")
        held = await self._held(name)
        off, wanted = off_by(held, self._real(name)), planted_effects(self.bots[name].planted)
        for place in sorted({*off, *wanted}):
            if off.get(place) != wanted.get(place):
                self.tally.wrong.append(
                    f"{name}: {place[0]} {place[1]} is off by {off.get(place, 0)}, planted {wanted.get(place, 0)}"
                )

    async def _held(self, name: str) -> Snapshot:
        return await self.service.book.snapshot(account=name, since=START - timedelta(days=1), scales=Scales())

    def _real(self, name: str) -> Mapping[Place, Decimal]:
        real: dict[Place, Decimal] = {}
        scribe = Scribe(self.exchange, self.clock)
        for each, amount in self.exchange.account(name).balances.items():
            add(real, scribe.place(each), amount)
        return real
