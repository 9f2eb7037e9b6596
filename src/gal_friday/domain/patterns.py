"""What a single mistake does to an amount: the patterns, and which row would have had to be mistaken.

Every pattern is a family: one effect per row that the mistake could have hit. The families come in three
groups: what happens every day, what happens now and then, and signs that are too weak to prove anything.
The families say what would fit; how likely that is by chance is counted elsewhere.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from gal_friday.domain import quantity
from gal_friday.domain.cause import Cause
from gal_friday.domain.pool import PoolRow
from gal_friday.domain.records import FILL_LEG_KINDS
from gal_friday.domain.subset import in_units

SHIFTS_MAX = 3
"""How many places a decimal point is looked for away from where it belongs."""

_TAIL_MAX = 200
_TRANSPOSED_MAX = 1000

CAUSE_OF_KIND = {
    "trade": Cause.MISSED_FILL,
    "margin": Cause.MISSED_FILL,
    "fee": Cause.UNBOOKED_FEE,
    "deposit": Cause.UNBOOKED_DEPOSIT,
    "withdrawal": Cause.UNBOOKED_WITHDRAWAL,
    "transfer": Cause.INTERNAL_TRANSFER,
    "earn_transfer": Cause.EARN_TRANSFER,
    "reward": Cause.REWARD,
    "conversion": Cause.CONVERSION,
    "rollover": Cause.ROLLOVER,
    "settlement": Cause.SETTLEMENT,
    "exchange_adjustment": Cause.EXCHANGE_ADJUSTMENT,
    "credit": Cause.EXCHANGE_ADJUSTMENT,
    "delisting": Cause.DELISTING,
}
"""Why a row of this kind would be missing from the book."""


class Part(NamedTuple):
    """One part of an explanation."""

    record_ids: tuple[str, ...]
    effect: Decimal
    """What it adds to the internal amount."""
    cause: Cause
    event: str = ""


class Guess(NamedTuple):
    """Something that fits."""

    parts: tuple[Part, ...]
    note: str


class Numbers:
    """The amount to be explained and the rows, in whole numbers of one unit that holds all their digits."""

    def __init__(
        self,
        residual: Decimal,
        tolerance: Decimal,
        rows: Sequence[PoolRow],
        whole: Sequence[Decimal],
        places: int | None,
    ) -> None:
        self.rows = tuple(rows)
        self.scale = places
        amounts = [amount for row in rows for amount in (row.amount, row.fee)]
        # Digits to spare, so that a point moved to the left loses none.
        self._places = max(map(quantity.places, (residual, tolerance, *amounts, *whole))) + SHIFTS_MAX
        units = in_units(amounts, self._places)
        self._amounts = dict(zip((row.row_id for row in rows), zip(units[::2], units[1::2], strict=True), strict=True))
        self.target, self.slack = in_units((residual, tolerance), self._places)
        self.whole = in_units(whole, self._places)

    def amount(self, row: PoolRow) -> int:
        """Return the row's amount before its fee."""
        return self._amounts[row.row_id][0]

    def fee(self, row: PoolRow) -> int:
        """Return the row's fee."""
        return self._amounts[row.row_id][1]

    def net(self, row: PoolRow) -> int:
        """Return by how much the row changed the wallet."""
        amount, fee = self._amounts[row.row_id]
        return amount - fee

    def missing(self, row: PoolRow) -> int:
        """Return what a row that only one side has does to the internal amount, once it is made good."""
        return self.net(row) if row.side == "exchange" else -self.net(row)

    def part(self, row: PoolRow, effect: int, cause: Cause | None = None) -> Part:
        """Return the part that this row plays; without a *cause*, the one why it would be missing."""
        return Part(row.ids, self.written(effect), cause or self._cause(row), row.event)

    def written(self, units: int) -> Decimal:
        """Return the amount with as many digits as it needs."""
        amount = quantity.multiply(Decimal(units), quantity.unit(self._places))
        return Decimal(quantity.short(amount))

    def _cause(self, row: PoolRow) -> Cause:
        if row.side == "internal":
            return Cause.IN_FLIGHT if row.kind in {"deposit", "withdrawal", "transfer"} else Cause.UNEXPLAINED
        if not row.amount and row.fee and row.kind in {"trade", "margin"}:
            return Cause.UNBOOKED_FEE
        return CAUSE_OF_KIND.get(row.kind, Cause.UNEXPLAINED)

    @cached_property
    def theirs(self) -> tuple[PoolRow, ...]:
        """The rows that the exchange has."""
        return tuple(row for row in self.rows if row.side == "exchange")

    @cached_property
    def unmatched(self) -> tuple[PoolRow, ...]:
        """The rows that only one side has."""
        return tuple(row for row in self.rows if not row.matched)

    @cached_property
    def theirs_alone(self) -> tuple[PoolRow, ...]:
        """The rows that the exchange has, and of which nobody knows how the book has them, if at all."""
        return tuple(row for row in self.theirs if not row.matched)

    @cached_property
    def taken_back(self) -> tuple[tuple[PoolRow, PoolRow], ...]:
        """Withdrawals that came back, each with the row by which it did."""
        waiting: dict[int, list[PoolRow]] = {}
        pairs: list[tuple[PoolRow, PoolRow]] = []
        for row in self.theirs:
            amount = self.amount(row)
            if row.kind == "withdrawal" and amount < 0:
                waiting.setdefault(-amount, []).append(row)
            elif row.kind in {"withdrawal", "deposit"} and waiting.get(amount):
                pairs.append((waiting[amount].pop(0), row))
        return tuple(pairs)


class Family(NamedTuple):
    """One kind of mistake, with the effect that it would have had on each row."""

    cause: Cause | None
    """None where the kind of row tells."""
    rows: Sequence[tuple[PoolRow, ...]]
    effects: Sequence[int]
    note: str

    def hits(self, numbers: Numbers) -> Iterator[Guess]:
        """Yield what fits."""
        lowest, highest = numbers.target - numbers.slack, numbers.target + numbers.slack
        for place in [place for place, effect in enumerate(self.effects) if lowest <= effect <= highest]:
            yield Guess(tuple(_parts(numbers, self.rows[place], self.effects[place], self.cause)), self.note)


def _parts(numbers: Numbers, rows: tuple[PoolRow, ...], effect: int, cause: Cause | None) -> Iterator[Part]:
    if len(rows) == 1:
        yield numbers.part(rows[0], effect, cause)
    else:
        ids = tuple(record for row in rows for record in row.ids)
        event = rows[0].event if rows else ""
        yield Part(ids, numbers.written(effect), cause or Cause.UNEXPLAINED, event)


def simple_mistakes(numbers: Numbers) -> Iterator[Family]:
    """Yield what happens every day: a row not booked, its fee not booked, a row booked twice."""
    pairs = numbers.taken_back
    halves = {row.row_id for pair in pairs for row in pair}
    alone = [row for row in numbers.unmatched if row.row_id not in halves]
    yield Family(None, _each(alone), [numbers.missing(row) for row in alone], "a row that only one side has")
    yield _half_booked(numbers, pairs)
    charged = [row for row in numbers.theirs_alone if row.fee and row.amount]
    yield Family(Cause.UNBOOKED_FEE, _each(charged), [-numbers.fee(row) for row in charged], "the fee of this row")
    ours = [row for row in numbers.unmatched if row.side == "internal" and row.fee and row.amount]
    effects = [numbers.fee(row) for row in ours]
    yield Family(Cause.FEE_IN_OTHER_ASSET, _each(ours), effects, "a fee that was not taken from here")
    twice = [row for row in numbers.theirs if row.row_id not in halves]
    legs = [row for row in twice if row.kind in FILL_LEG_KINDS]
    others = [row for row in twice if row.kind not in FILL_LEG_KINDS]
    for cause, rows in ((Cause.DUPLICATED_FILL, legs), (Cause.DUPLICATED_MOVEMENT, others)):
        yield Family(cause, _each(rows), [-numbers.net(row) for row in rows], "this row, counted twice")


def _half_booked(numbers: Numbers, pairs: Sequence[tuple[PoolRow, PoolRow]]) -> Family:
    tried = [
        (pair, effect)
        for pair in pairs
        for effect in sorted({sign * numbers.net(row) for row in pair for sign in (1, -1)})
    ]
    note = "a withdrawal that came back, of which the book has one half"
    return Family(Cause.FAILED_WITHDRAWAL, [pair for pair, _ in tried], [effect for _, effect in tried], note)


def seldom_mistakes(numbers: Numbers) -> Iterator[Family]:
    """Yield what happens now and then: the other sign, a shifted decimal point, a book that stood still."""
    turned = [row for row in numbers.theirs_alone if row.amount]
    effects = [2 * numbers.amount(row) for row in turned]
    yield Family(Cause.WRONG_SIDE, _each(turned), effects, "this row, booked with the other sign")
    for shift in range(1, SHIFTS_MAX + 1):
        ten = 10**shift
        told = f"this row, booked with the point {shift} to the"
        # The units have digits to spare: dividing by the shift leaves nothing over.
        right = [amount - amount * ten for amount in map(numbers.amount, turned)]
        left = [amount - amount // ten for amount in map(numbers.amount, turned)]
        yield Family(Cause.WRONG_AMOUNT, _each(turned), right, f"{told} right")
        yield Family(Cause.WRONG_AMOUNT, _each(turned), left, f"{told} left")
    yield _stood_still(numbers)


def _stood_still(numbers: Numbers) -> Family:
    """Return the sums of the newest rows, two and more: what is missing from a book that is not written any more."""
    tails: list[tuple[PoolRow, ...]] = []
    effects: list[int] = []
    reached, last = 0, len(numbers.rows)
    for first in range(last - 1, -1, -1):
        row = numbers.rows[first]
        if row.matched or row.side != "exchange" or len(tails) == _TAIL_MAX:
            break
        reached += numbers.net(row)
        if last - first > 1:
            tails.append(numbers.rows[first:])
            effects.append(reached)
    return Family(Cause.STALE_BOOK, tails, effects, "everything since then is missing from the book")


def weak_signs(numbers: Numbers) -> Iterator[Family]:
    """Yield what fits too easily to prove anything: rounding, a whole balance, two digits transposed."""
    if numbers.scale is not None and quantity.absolute(numbers.written(2 * numbers.target)) <= _ulps(numbers):
        yield Family(Cause.ROUNDING, [()], [numbers.target], "no more than rounding so many rows can leave")
    wholes = sorted({sign * each for each in numbers.whole if each for sign in (1, -1)})
    yield Family(Cause.INTERNAL_TRANSFER, [()] * len(wholes), wholes, "a whole balance: another account or wallet")
    # Among more rows some digits always fit: a sign that is there whatever happened says nothing.
    rows = numbers.theirs_alone if len(numbers.theirs_alone) <= _TRANSPOSED_MAX else ()
    swapped = [(row, effect) for row in rows for effect in _transposed(numbers.amount(row))]
    effects = [effect for _, effect in swapped]
    yield Family(Cause.WRONG_AMOUNT, _each([row for row, _ in swapped]), effects, "two digits of this row, transposed")


def _ulps(numbers: Numbers) -> Decimal:
    assert numbers.scale is not None
    return quantity.multiply(quantity.unit(numbers.scale), Decimal(len(numbers.rows)))


def _transposed(amount: int) -> Iterator[int]:
    sign, digits = (-1 if amount < 0 else 1), str(abs(amount)).rstrip("0")
    tail = 10 ** (len(str(abs(amount))) - len(digits))
    for place in range(len(digits) - 1):
        left, right = digits[place], digits[place + 1]
        if left != right:
            swapped = int(digits[:place] + right + left + digits[place + 2 :])
            yield sign * (int(digits) - swapped) * tail


def _each(rows: Sequence[PoolRow]) -> list[tuple[PoolRow, ...]]:
    return [(row,) for row in rows]
