"""All baselines in one world: each hears what the bots write and what the runs read."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from gal_friday.adapters.simulated import Exchange
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Snapshot
from gal_friday.ports.clock import Clock
from gal_friday.simulation.baselines.beside import Beside, Score, Truth, count_off
from gal_friday.simulation.baselines.book import balance_key, balances_of, open_at, summed
from gal_friday.simulation.baselines.overheard import Hear
from gal_friday.simulation.baselines.rules import RULES, Amounts
from gal_friday.simulation.bot import Bot
from gal_friday.simulation.events import Heard, Scribe
from gal_friday.simulation.life import prices_at_start
from gal_friday.simulation.tally import Tally

PRODUCT = "Gal-Friday"


class Baselines:
    """What the baselines of one world come to."""

    def __init__(self, exchange: Exchange, bots: Mapping[str, Bot], clock: Clock) -> None:
        """Stand beside these bots, at this exchange."""
        self._exchange, self._clock, self._scribe = exchange, clock, Scribe(exchange, clock)
        self.scores = [Score(rule.name) for rule in RULES]
        self.product = Score(PRODUCT)
        """Of the product only how far its books are from the truth at the end; the rest is in the tally."""
        self._beside = {
            name: [Beside(rule, bot.planted, one) for rule, one in zip(RULES, self.scores, strict=True)]
            for name, bot in bots.items()
        }

    def writes(self, account: str, heard: Heard) -> None:
        """Let every plain book have what the bot writes down."""
        truth = self._truth(account)
        for one in self._beside[account]:
            one.writes(heard, truth)

    def hearing(self, account: str) -> Hear:
        """Return who is to be told what a run of this account reads."""

        def hear(kind: Kind, theirs: Amounts) -> None:
            truth = self._truth(account)
            for one in self._beside[account]:
                one.reads(kind, theirs, truth)

        return hear

    def kept(self) -> Mapping[str, Sequence[Mapping[str, Decimal]]]:
        """Return every plain book as it stands, for a backup."""
        return {account: [dict(one.book) for one in some] for account, some in self._beside.items()}

    def put_back(self, kept: Mapping[str, Sequence[Mapping[str, Decimal]]]) -> None:
        """Let every plain book stand as it did when it was kept."""
        for account, books in kept.items():
            for one, book in zip(self._beside[account], books, strict=True):
                one.book = dict(book)

    def outcome(self, tally: Tally, held: Mapping[str, Snapshot]) -> tuple[Score, ...]:
        """Return everything that was counted, the product first: of it the tally tells all but what it *held*."""
        for account, snapshot in held.items():
            self._end(account, snapshot)
        product, found = self.product, [case for case in tally.cases if case.suspected is not None]
        product.planted, product.found = self.scores[0].planted, len(found)
        product.due, product.missed = sum(case.due for case in tally.cases), len(tally.missed)
        product.shown, product.false = tally.shown, len(tally.false)
        product.corrected, product.wrong = tally.corrected, len(tally.wrong)
        product.seconds = [
            (case.suspected - case.planted.at) / timedelta(seconds=1) for case in found if case.suspected is not None
        ]
        return (product, *self.scores)

    def _end(self, account: str, held: Snapshot) -> None:
        truth, prices = self._truth(account), prices_at_start(self._exchange)
        for one in self._beside[account]:
            one.ends(truth, prices)
        count_off(self.product, balances_of(held.balances), truth, prices)

    def _truth(self, account: str) -> Truth:
        owner, names = self._exchange.account(account), self._exchange.instruments
        balances = summed((balance_key(*self._scribe.place(each)), amount) for each, amount in owner.balances.items())
        moving = {names.asset(each).modern for each, amount in owner.pending_out.items() if amount}
        return Truth(self._clock.now(), balances | open_at(owner, names), moving)
