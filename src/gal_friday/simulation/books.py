"""The books of a world, held against what was planted: after every run, after every repair, and in the end."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from msgspec.structs import replace

from gal_friday.adapters.simulated import Exchange
from gal_friday.domain.adjusted import POLICY
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.cause import Cause
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.clock import Clock
from gal_friday.simulation.bot import Bot
from gal_friday.simulation.events import Scribe
from gal_friday.simulation.life import prices_at_start
from gal_friday.simulation.planted import Place, add
from gal_friday.simulation.service import Service
from gal_friday.simulation.tally import Judge, Tally, is_behind, off_by, planted_effects, right_keys

_LONG = timedelta(days=400)


class Books:
    """Every book of a world, beside the truth."""

    def __init__(
        self, exchange: Exchange, service: Service, bots: Mapping[str, Bot], tally: Tally, policy: Policy, clock: Clock,
        *, stale_at: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """Count into *tally*. *clock* is the world's own, and *stale_at* tells when an answer was untrue last."""
        self._stale_at = stale_at
        self._exchange, self._service, self._bots, self._tally, self._clock = exchange, service, bots, tally, clock
        self.judges = {name: Judge(bot.planted, tally, policy) for name, bot in bots.items()}

    async def saw(self, report: ReconciliationReport, took: timedelta, calls: int) -> None:
        """Count a run that has just ended."""
        await self.mended()
        judge, now = self.judges[report.account], self._clock.now()
        judge.saw(report, now - took, now, calls, stale=self._stale_at() >= now - took)
        known = await self._service.desk.store.open_discrepancies(report.account)
        judge.remembers(report, {str(one.key) for one in known})

    async def mended(self) -> None:
        """Note what is right in the books now, after everything that was posted since the last look."""
        posted, self._service.adjustments.posted = self._service.adjustments.posted, []
        for one, _ in posted:
            if one.reverses is not None:
                await self._wrong_again(one)
        for account in dict.fromkeys(one.account for one, _ in posted):
            mine = [(one, who) for one, who in posted if one.account == account]
            await self.look(account, mine[-1][1], {key: who for one, who in mine for key in one.keys})

    async def _wrong_again(self, back: Adjustment) -> None:
        """Plant anew what was right in a book until its repair was taken back."""
        held, planted = await self.held(back.account), self._bots[back.account].planted
        still = {one.keys for one in planted if one.over is None}
        for one in {one.keys: one for one in planted if {*one.keys} & {*back.keys}}.values():
            if one.keys not in still and len(right_keys(one, held)) < len(one.keys):
                # Once a part of it is booked, the order of a stranger passes for one of the book's own.
                causes = one.causes | ({Cause.MISSED_FILL} if Cause.MANUAL_TRADE in one.causes else set())
                again = {"lie": "taken_back", "at": self._clock.now(), "causes": causes, "decided": True}
                planted.append(replace(one, **again, over=None, by="", right=frozenset()))

    async def _turned_down(self) -> None:
        """Note of what a person has rejected the repair, or taken it back so that it is wrong again."""
        states = (AdjustmentState.REJECTED, AdjustmentState.REVERSED)
        for kept in await self._service.adjustments.adjustments(states=states, limit=10_000):
            for one in self._bots[kept.adjustment.account].planted:
                meant = kept.state is AdjustmentState.REJECTED or one.over is None
                one.decided |= meant and bool({*one.keys} & {*kept.adjustment.keys})

    async def look(self, account: str, by: str, whose: Mapping[str, str] = MappingProxyType({})) -> None:
        """Note what is right in the book of one account now; *by*, or *whose* word its keys are, put it right."""
        held = await self.held(account)
        for planted in self._bots[account].planted:
            if planted.order_is_behind:
                planted.order_is_behind = is_behind(planted, held)
            if planted.over is None and not planted.coming:
                right = right_keys(planted, held)
                planted.wrong_again = {**planted.wrong_again, **dict.fromkeys(planted.right - right, self._clock.now())}
                planted.right = right
                if len(planted.right) == len(planted.keys):
                    planted.over, planted.order_is_behind = self._clock.now(), is_behind(planted, held)
                    planted.by = next((whose[key] for key in planted.keys if key in whose), by)
                    if planted.decided and planted.by == "policy":
                        self._tally.wrong.append(f"{account}: {planted.keys[0]} was taken back, and is posted again")

    async def restored(self) -> None:
        """Look at everything anew: all that is kept was put back to a backup."""
        self._service.adjustments.posted = []
        for bot in self._bots.values():
            for one in bot.planted:
                one.decided = False  # what people said since is gone as well
        await self._turned_down()
        for account, judge in self.judges.items():
            judge.forget()
            await self.look(account, "a backup")

    async def close(self) -> None:
        """Hold every book against the exchange once more, by itself: whatever is off must be what was planted."""
        await self.mended()
        await self._turned_down()
        for name in self._bots:
            await self.look(name, "end")
            self.judges[name].weighs(prices_at_start(self._exchange))
            self._tally.wrong += self._off(name, await self.held(name), await self._put_in_place(name))

    async def _put_in_place(self, name: str) -> frozenset[str]:
        """Return the adjustments of one account that people approved."""
        some = await self._service.adjustments.adjustments(account=name, limit=10_000)
        return frozenset(one.adjustment.adjustment_id for one in some if one.decided_by not in ("", POLICY))

    def _off(self, name: str, held: Snapshot, approved: Collection[str]) -> Iterable[str]:
        off = off_by(held, self._real(name))
        wanted = planted_effects(self._bots[name].planted, held, approved)
        for place in sorted({*off, *wanted}):
            if off.get(place) != wanted.get(place):
                wrongly = f"off by {off.get(place, 0)}, planted {wanted.get(place, 0)}"
                yield f"{name}: {place[0]} {place[1]} is {wrongly}"

    async def held(self, name: str) -> Snapshot:
        """Return the book of one account as it stands."""
        return await self._service.book.snapshot(account=name, since=self._clock.now() - _LONG, scales=Scales())

    def _real(self, name: str) -> Mapping[Place, Decimal]:
        real: dict[Place, Decimal] = {}
        scribe = Scribe(self._exchange, self._clock)
        for each, amount in self._exchange.account(name).balances.items():
            add(real, scribe.place(each), amount)
        return real
