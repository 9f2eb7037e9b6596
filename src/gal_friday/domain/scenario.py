"""Scenarios: one small story about two books, in a text that a trader could have written.

    The socket dropped for two seconds; one fill reached the exchange and not our book.

    internal 2026-03-01T00:00:00Z  BTC 1.5   USD 10000
    exchange 2026-03-01T00:00:00Z  BTC 1.75  USD -5000
    fill exchange T1 buy 0.25 BTC/USD at 60000 order O1

    expect BTC excess 0.25 = T1 residual 0 because missed_fill

The story ends at the first blank line. Every line after it begins with one of the words in ``_LINES``; ``#``
begins a remark. What is not said has a sensible value: everything is covered, the window is the last day, and
records without a time follow each other in the order in which the file first names them, half a day before the
reading. A fill moves what it says unless the file lists rows of its own for it.

Reading a scenario never judges it, and never guesses: an unknown word fails with its line and what was
expected there.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.errors import MalformedRecord
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import (
    FILL_LEG_KINDS,
    MOVEMENT_KINDS,
    ORDER_STATUSES,
    RECORD_KINDS,
    Balance,
    Fill,
    Kind,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
)
from gal_friday.domain.roll_up import legs_of
from gal_friday.domain.scenario_expect import Expectation, read_expectation
from gal_friday.domain.scenario_words import Words
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Scales, Side, Since, Snapshot

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_WINDOW = timedelta(days=1)
_AGE, _STEP = timedelta(hours=12), timedelta(minutes=1)
_SIDES: dict[str, tuple[Side, ...]] = {
    "internal": ("internal",),
    "exchange": ("exchange",),
    "both": ("internal", "exchange"),
}
_BEGINNING = "beginning"


class Scenario(Struct, frozen=True):
    """Two sides, what they are worth, and what somebody expects of comparing them."""

    story: str
    internal: Snapshot
    exchange: Snapshot
    prices: dict[Asset, Decimal]
    expectations: tuple[Expectation, ...]
    """In the order of the file."""


def read_scenario(text: str, *, source: str = "scenario") -> Scenario:
    """Return the scenario in *text*; *source* names the file in messages.

    Raises:
        MalformedScenario: a word that nobody knows in its place, a malformed amount or instant, no story or no
            expectation; the message names file, line and what was expected.
    """
    story, lines = _parted(text, source)
    reader = _Reader(source)
    # Times can be counted back from the reading: when that was has to be known first.
    for words in sorted(lines, key=lambda words: words.peek() not in ("internal", "exchange", "covers", "since")):
        reader.read(words)
    return reader.scenario(story)


def _parted(text: str, source: str) -> tuple[str, list[Words]]:
    lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]
    blank = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    story = " ".join(line.strip() for line in text.splitlines()[:blank])
    if not story:
        raise Words("", source, 1).refused("a story, up to the first blank line")
    rest = [Words(line, source, number) for number, line in enumerate(lines, 1) if number > blank and line.strip()]
    if not any(words.peek() == "expect" for words in rest):
        raise Words("", source, len(lines)).refused("at least one line that begins with expect")
    return story, rest


class _Half:
    """One side while its lines are read."""

    def __init__(self) -> None:
        self.as_of = _NOON
        self.coverage: dict[str, Coverage] = {kind.value: Coverage.TOTAL for kind in RECORD_KINDS}
        self.whole = False
        self.since: datetime | None = None
        self.balances: dict[tuple[Asset, Wallet], Balance] = {}
        self.positions: list[Position] = []
        self.orders: list[Order] = []
        self.fills: list[Fill] = []
        self.movements: list[Movement] = []
        self.not_checked: list[NotChecked] = []

    def snapshot(self, side: Side, scales: Scales) -> Snapshot:
        movements = [*self.movements, *self.legs()]
        since = None if self.whole else self.since or self.as_of - _WINDOW
        return Snapshot(
            side=side,
            account="main",
            exchange="kraken",
            as_of=self.as_of,
            coverage=Coverages(**self.coverage),
            since=Since(orders=since, fills=since, movements=since),
            balances=tuple(self.balances.values()),
            positions=tuple(self.positions),
            orders=tuple(self.orders),
            fills=tuple(self.fills),
            movements=tuple(sorted(movements, key=lambda row: row.at)),
            scales=scales,
            not_checked=tuple(self.not_checked),
        )

    def legs(self) -> Iterable[Movement]:
        """Return what the fills moved that have no rows of their own in the file."""
        if self.coverage["movements"] == Coverage.NONE:
            return ()
        told = {row.refers_to for row in self.movements if row.kind in FILL_LEG_KINDS}
        return (leg for fill in self.fills if fill.fill_id not in told for leg in legs_of(fill))


class _Reader:
    """Reads line after line into the two halves."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.halves: dict[Side, _Half] = {"internal": _Half(), "exchange": _Half()}
        self.scales: dict[Asset, int] = {}
        self.prices: dict[Asset, Decimal] = {}
        self.expectations: list[Expectation] = []
        self.lines: dict[str, int] = {}

    def scenario(self, story: str) -> Scenario:
        scales = Scales(assets=self.scales)
        internal, exchange = (self.halves[side].snapshot(side, scales) for side in self.halves)
        return Scenario(story, internal, exchange, self.prices, tuple(self.expectations))

    def read(self, words: Words) -> None:
        try:
            _LINES[words.one_of("a line", tuple(_LINES))](self, words)
        except MalformedRecord as error:
            raise words.broken(error) from None
        words.end()

    def halves_of(self, words: Words) -> list[_Half]:
        return [self.halves[side] for side in _SIDES[words.one_of("a side", tuple(_SIDES))]]

    def balances(self, side: Side, words: Words) -> None:
        half = self.halves[side]
        half.as_of = words.instant("when this side was read")
        while words.peek():
            asset, wallet = words.holding()
            half.balances[asset, wallet] = Balance(asset, wallet, words.amount(f"how much {asset}"))

    def held(self, words: Words) -> None:
        halves, (asset, wallet) = self.halves_of(words), words.holding()
        reserved = words.amount("how much is reserved")
        for half in halves:
            row = half.balances.get((asset, wallet))
            if row is None:
                raise words.refused(f"a total of {asset} in {wallet} on this side, above or below")
            half.balances[asset, wallet] = Balance(asset, wallet, row.total, reserved)

    def covers(self, words: Words) -> None:
        halves, kinds = self.halves_of(words), tuple(kind.value for kind in RECORD_KINDS)
        named = [words.one_of("a kind of record", kinds)]
        while words.peek() in kinds:
            named.append(words.next("a kind of record"))
        coverage = Coverage(words.one_of("how much is covered", tuple(Coverage)))
        reason = words.rest() if words.takes("because") else ""
        for half in halves:
            half.coverage |= dict.fromkeys(named, coverage)
            half.not_checked += [NotChecked(Kind(kind), reason, None) for kind in named if reason]

    def window(self, words: Words) -> None:
        halves = self.halves_of(words)
        whole = words.takes(_BEGINNING)
        since = None if whole else words.instant("an instant, or beginning")
        for half in halves:
            half.whole, half.since = whole, since

    def scale(self, words: Words) -> None:
        asset = Asset(words.next("an asset"))
        self.scales[asset] = words.digits()

    def price(self, words: Words) -> None:
        asset = Asset(words.next("an asset"))
        self.prices[asset] = words.amount("what one unit is worth")

    def moved(self, words: Words) -> None:
        halves, movement_id = self.halves_of(words), words.next("an id")
        kind = words.one_of("a kind of movement", ("fill", *sorted(MOVEMENT_KINDS)))
        asset, wallet = words.holding()
        amount = words.amount("what was moved, signed")
        given = words.options({"fee": Words.amount, "of": Words.next, "at": Words.when, "subtype": Words.next})
        for half in halves:
            half.movements.append(
                Movement(
                    movement_id=movement_id,
                    # People say fill where the ledger says trade.
                    kind="trade" if kind == "fill" else kind,
                    asset=asset,
                    wallet=wallet,
                    amount=amount,
                    at=self.time(half, words, movement_id, given),
                    fee=given.get("fee", ZERO),
                    refers_to=given.get("of"),
                    extra={"subtype": given["subtype"]} if "subtype" in given else None,
                )
            )

    def fill(self, words: Words) -> None:
        halves, fill_id = self.halves_of(words), words.next("an id")
        side = OrderSide(words.one_of("a direction", tuple(OrderSide)))
        size, instrument = words.amount("a size"), Instrument(words.next("an instrument, as BTC/USD"))
        words.expects("at", "at and a price")
        price = words.amount("a price")
        given = words.options(
            {"fee": Words.fee, "order": Words.next, "margin": Words.yes, "at": Words.when, "type": Words.next}
        )
        fee, fee_asset = given.get("fee", (None, None))
        for half in halves:
            half.fills.append(
                Fill(
                    fill_id=fill_id,
                    instrument=instrument,
                    side=side,
                    quantity=size,
                    price=price,
                    at=self.time(half, words, fill_id, given),
                    order_id=given.get("order"),
                    fee=fee,
                    fee_asset=fee_asset,
                    margin="margin" in given,
                    extra={"ordertype": given["type"]} if "type" in given else None,
                )
            )

    def position(self, words: Words) -> None:
        halves, instrument = self.halves_of(words), Instrument(words.next("an instrument, as BTC/USD"))
        size = words.amount("a signed size")
        given = words.options({"price": Words.amount})
        for half in halves:
            half.positions.append(Position(instrument, PositionMode.NET, size, average_price=given.get("price")))

    def order(self, words: Words) -> None:
        halves, order_id = self.halves_of(words), words.next("an id")
        side = OrderSide(words.one_of("a direction", tuple(OrderSide)))
        size, instrument = words.amount("a size"), Instrument(words.next("an instrument, as BTC/USD"))
        status = words.one_of("a status", tuple(sorted(ORDER_STATUSES)))
        given = words.options(
            {"filled": Words.amount, "price": Words.amount, "client": Words.next, "type": Words.next, "at": Words.when}
        )
        for half in halves:
            at = self.time(half, words, order_id, given)
            half.orders.append(
                Order(
                    order_id=order_id,
                    instrument=instrument,
                    side=side,
                    quantity=size,
                    filled=given.get("filled", size if status == "filled" else ZERO),
                    status=status,
                    client_order_id=given.get("client"),
                    type=given.get("type"),
                    price=given.get("price"),
                    opened_at=at,
                    updated_at=at,
                )
            )

    def time(self, half: _Half, words: Words, name: str, given: dict[str, Any]) -> datetime:
        """Return when it happened; without a word about it, in the order in which the file first names it."""
        line = self.lines.setdefault(name, words.line)
        match given.get("at"):
            case datetime() as at:
                return at
            case timedelta() as ago:
                return half.as_of - ago
            case _:
                return half.as_of - _AGE + line * _STEP

    def expect(self, words: Words) -> None:
        self.expectations.append(read_expectation(words))


_LINES: dict[str, Callable[[_Reader, Words], None]] = {
    "internal": lambda reader, words: reader.balances("internal", words),
    "exchange": lambda reader, words: reader.balances("exchange", words),
    "held": _Reader.held,
    "covers": _Reader.covers,
    "since": _Reader.window,
    "scale": _Reader.scale,
    "price": _Reader.price,
    "moved": _Reader.moved,
    "fill": _Reader.fill,
    "position": _Reader.position,
    "order": _Reader.order,
    "expect": _Reader.expect,
}
