"""One baseline beside the product, in one account: its book, what it says, and what that does to the book.

What is right is asked of the exchange's own state and of the list of planted errors, as for the product. A correction
is wrong where the amount is farther from the truth after it than before, also when that shows itself only later: a
record that arrives after a set amount already held it is in the book twice.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct, field

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Kind, Order
from gal_friday.domain.roll_up import is_older
from gal_friday.simulation.baselines.book import (
    balance_key,
    changes_of,
    of_kind,
    of_others,
    orders_of,
    position_key,
    signed,
)
from gal_friday.simulation.baselines.rules import FLOOR, Amounts, Rule
from gal_friday.simulation.events import Heard
from gal_friday.simulation.planted import Planted

_BY_HAND = ("deleted", "changed")
SETTLED = timedelta(seconds=150)
"""An error that is younger than this need not be in a report: what was late would have come by then."""


class Score(Struct):
    """What came of one way to reconcile, in one world."""

    name: str
    planted: int = 0
    found: int = 0
    due: int = 0
    missed: int = 0
    shown: int = 0
    false: int = 0
    corrected: int = 0
    wrong: int = 0
    off: int = 0
    """How many balances are not right at the end."""
    off_value: Decimal = ZERO
    """What they are off by, together, at the prices of the start."""
    seconds: list[float] = field(default_factory=list)
    """From each error that was found to the reading that showed it first."""


class _Error(Struct):
    planted: Planted
    keys: frozenset[str]
    over: bool = False
    found: bool = False


class Truth(Struct, frozen=True):
    """What really is at this instant."""

    at: datetime
    amounts: Amounts
    in_flight: Collection[str]
    """Assets that are on their way out."""

    def gap(self, key: str, amount: Decimal) -> Decimal:
        """Return how far from the truth an amount is."""
        return quantity.absolute(quantity.subtract(self.amounts.get(key, ZERO), amount))


class Beside:
    """One baseline in one account."""

    def __init__(self, rule: Rule, planted: Sequence[Planted], score: Score) -> None:
        """Count into *score*; *planted* grows while the world goes on."""
        self._rule, self._planted, self._score = rule, planted, score
        self._errors: list[_Error] = []
        self.book: dict[str, Decimal] = {}
        self._set: dict[str, datetime] = {}
        self._states: dict[str, Order] = {}
        self._spoiled: set[str] = set()
        self._off: dict[str, datetime] = {}
        """Since which reading an amount is off."""

    def writes(self, heard: Heard, truth: Truth) -> None:
        """Write down what the bot writes down."""
        instants = [*(one.at for one in heard.fills), *(one.at for one in heard.movements)]
        happened = max(instants, default=truth.at)
        before: dict[str, Decimal] = {}
        for key, change in changes_of(heard):
            held = self.book.get(key, ZERO)
            before.setdefault(key, held)
            self.book[key] = quantity.add(held, change)
        for key, amount in before.items():
            already_in_it = key in self._set and happened <= self._set[key]
            if already_in_it and truth.gap(key, self.book[key]) > truth.gap(key, amount):
                self._is_wrong(key)
        for order in heard.orders:
            # Of an order the latest state counts, whichever is written last.
            if not is_older(order, self._states.get(order.name, order)):
                self._states[order.name] = order
                self.book |= orders_of([order])

    def reads(self, kind: Kind, theirs: Amounts, truth: Truth) -> None:
        """Hold the book against what the exchange said, and set what the rule sets."""
        self._look(truth)
        off = (key for key in {*theirs, *of_kind(self.book, kind)} if self._is_off(key, truth))
        self._off = of_others(self._off, kind) | {key: self._off.get(key, truth.at) for key in off}
        said, score = self._rule.judge(kind, of_kind(self.book, kind), theirs), self._score
        score.shown += len(said.shown)
        score.false += sum(not self._is_true(key, truth) for key in said.shown)
        self._find(kind, said.shown, truth)
        for key, amount in said.sets.items():
            score.corrected += 1
            before, self.book[key] = self.book.get(key, ZERO), amount
            self._set[key] = truth.at
            if truth.gap(key, amount) > truth.gap(key, before):
                self._is_wrong(key)
        self._look(truth)

    def ends(self, truth: Truth, prices: Mapping[str, Decimal]) -> None:
        """Count how far the book is from the truth when all is over."""
        count_off(self._score, of_kind(self.book, Kind.BALANCES), truth, prices)
        self._score.planted += len(self._planted)
        self._score.found += sum(one.found for one in self._errors)

    def _look(self, truth: Truth) -> None:
        """See which errors there are, and which are over in this book."""
        for planted in self._planted[len(self._errors) :]:
            self._errors.append(_Error(planted, _keys(planted)))
            if planted.lie in _BY_HAND:
                self._changed_by_hand(planted)
        self._spoiled = {key for key in self._spoiled if self._is_off(key, truth)}
        for one in self._errors:
            if not one.over and one.planted.at <= truth.at - SETTLED:
                one.over = not any(self._is_off(key, truth) for key in one.keys)

    def _changed_by_hand(self, planted: Planted) -> None:
        """Let the same hands be in this book: nothing that is written tells of them."""
        for place, effect in planted.effects.items():
            key = balance_key(*place)
            self.book[key] = quantity.subtract(self.book.get(key, ZERO), effect)
        for fill in planted.truth:
            if isinstance(fill, Fill) and fill.margin:
                key = position_key(fill.instrument)
                self.book[key] = quantity.subtract(self.book.get(key, ZERO), signed(fill))

    def _is_off(self, key: str, truth: Truth) -> bool:
        return truth.gap(key, self.book.get(key, ZERO)) > FLOOR

    def _is_true(self, key: str, truth: Truth) -> bool:
        """Say whether something is wrong there, and not merely on its way in, or money is on its way out."""
        kind, name = key.split(":")[:2]
        moving = kind == Kind.BALANCES and name in truth.in_flight
        lasting = self._off.get(key, truth.at) <= truth.at - SETTLED
        return (
            moving or lasting or key in self._spoiled or any(key in one.keys and not one.over for one in self._errors)
        )

    def _find(self, kind: Kind, shown: Collection[str], truth: Truth) -> None:
        for one in self._errors:
            mine = {key for key in one.keys if key.startswith(f"{kind.value}:") and self._is_off(key, truth)}
            if one.over or not mine:
                continue
            seen = not mine.isdisjoint(shown)
            if seen and not one.found:
                one.found = True
                self._score.seconds.append((truth.at - one.planted.at) / timedelta(seconds=1))
            if one.planted.at <= truth.at - SETTLED:
                self._score.due += 1
                self._score.missed += not seen

    def _is_wrong(self, key: str) -> None:
        self._score.wrong += 1
        self._spoiled.add(key)


def count_off(score: Score, held: Amounts, truth: Truth, prices: Mapping[str, Decimal]) -> None:
    """Count balances that are not right, and what they are off by."""
    real = of_kind(truth.amounts, Kind.BALANCES)
    for key in sorted({*real, *held}):
        gap = truth.gap(key, held.get(key, ZERO))
        if gap > FLOOR:
            score.off += 1
            worth = quantity.multiply(gap, prices.get(key.split(":")[1], ZERO))
            score.off_value = quantity.add(score.off_value, worth)


def _keys(planted: Planted) -> frozenset[str]:
    """Return every amount that this error makes wrong."""
    places = {balance_key(*place) for place in planted.effects}
    orders = {key for key in planted.keys if key.startswith("orders:")}
    return frozenset(places | orders | ({position_key(planted.instrument)} if planted.instrument else set()))
