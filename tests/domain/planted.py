"""Small worlds in which known things went wrong: events that both sides have, and accidents of every kind.

Every event is a story of its own, told once as the exchange has it and once as the book has it; balances,
running balances and positions follow from the stories, so that the exchange never contradicts itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet, base_and_quote
from gal_friday.domain.records import Balance, Fill, Movement, Order, OrderSide, Record
from gal_friday.domain.roll_up import legs_of, net_positions
from gal_friday.domain.snapshot import Coverages, Since, Snapshot
from tests.domain.build import ALL, T0, exchange, internal

D = Decimal
PRICES = {Asset(name): D(price) for name, price in {"BTC": "60000", "ETH": "3000", "XRP": "0.6", "USD": "1"}.items()}
WINDOW = T0 - timedelta(hours=24)
_FIRST, _STEP = timedelta(hours=20), timedelta(minutes=7)
_OPENING = D("123456.789")
_MARKETS = {"BTC/USD": D("60000"), "ETH/USD": D("3000"), "XRP/USD": D("0.6"), "ETH/BTC": D("0.05")}


class World(Struct, frozen=True):
    """Two sides and what their assets are worth."""

    internal: Snapshot
    exchange: Snapshot
    prices: dict[Asset, Decimal]


@dataclass
class Event:
    """One thing that happened, as each side has it."""

    name: str
    at: datetime
    size: Decimal
    instrument: Instrument
    ours: list[Record] = field(default_factory=list)
    theirs: list[Record] = field(default_factory=list)
    rows: int = 0

    @property
    def base(self) -> Asset:
        """The asset that the event is about."""
        assets = base_and_quote(self.instrument)
        assert assets is not None
        return assets[0]

    def fill(self, **more: Any) -> Fill:
        """Return the execution of this event."""
        given: dict[str, Any] = {"fee": D("0.17"), "fee_asset": Asset("USD")} | more
        price = _MARKETS[self.instrument]
        order = f"O{self.name}"
        return Fill(f"T{self.name}", self.instrument, OrderSide.BUY, self.size, price, self.at, order_id=order, **given)

    def order(self, status: str = "filled", *, client: bool = True) -> Order:
        """Return the order behind the execution."""
        return Order(
            f"O{self.name}",
            self.instrument,
            OrderSide.BUY,
            self.size,
            self.size if status == "filled" else quantity.ZERO,
            status,
            client_order_id=f"bot-{self.name}" if client else None,
            opened_at=self.at,
            updated_at=self.at,
        )

    def row(self, kind: str, amount: Decimal | str, asset: str = "", *, tag: str = "", **more: Any) -> Movement:
        """Return one movement of this event."""
        wallet = more.pop("wallet", Wallet.SPOT)
        name = f"L{self.name}{tag}"
        # Rows of one instant follow each other as they are listed: these say themselves which came first.
        self.rows += 1
        at = self.at + self.rows * timedelta(seconds=1)
        return Movement(name, kind, Asset(asset or self.base), wallet, D(amount), at, refers_to=f"R{self.name}", **more)

    def both(self, *rows: Record) -> None:
        """Write these down on both sides."""
        self.ours += rows
        self.theirs += rows

    def traded(self, ours: Iterable[Fill], theirs: Iterable[Fill]) -> None:
        """Write executions down, with what they moved: the exchange's rows have ids of their own."""
        for fill in ours:
            self.ours += [fill, *legs_of(fill)]
        for fill in theirs:
            legs = legs_of(fill)
            self.theirs += [fill, *(replace(leg, movement_id=f"L{self.name}{n}") for n, leg in enumerate(legs))]


def _agreed_trade(event: Event) -> None:
    event.both(event.order())
    event.traded([event.fill()], [event.fill()])


def _agreed_deposit(event: Event) -> None:
    event.both(event.row("deposit", event.size))


def _missed_fill(event: Event) -> None:
    event.ours.append(event.order("open"))
    event.theirs.append(event.order())
    event.traded([], [event.fill()])


def _manual_trade(event: Event) -> None:
    event.theirs.append(event.order(client=False))
    event.traded([], [event.fill()])


def _duplicated_fill(event: Event) -> None:
    event.both(event.order())
    event.traded([event.fill(), event.fill()], [event.fill()])


def _other_terms(**terms: Any) -> Callable[[Event], None]:
    def story(event: Event) -> None:
        event.both(event.order())
        event.traded([replace(event.fill(), **terms)], [event.fill()])

    return story


def _wrong_amount(event: Event) -> None:
    event.both(event.order())
    event.traded([replace(event.fill(), quantity=quantity.multiply(event.size, D("0.1")))], [event.fill()])


def _missing(kind: str, sign: str = "1", **more: Any) -> Callable[[Event], None]:
    def story(event: Event) -> None:
        event.theirs.append(event.row(kind, quantity.multiply(event.size, D(sign)), **more))

    return story


def _phantom(kind: str, sign: str = "1") -> Callable[[Event], None]:
    def story(event: Event) -> None:
        event.ours.append(event.row(kind, quantity.multiply(event.size, D(sign))))

    return story


def _failed_withdrawal(event: Event) -> None:
    out = event.row("withdrawal", quantity.negate(event.size), tag="out")
    event.both(out)
    event.theirs.append(event.row("withdrawal", event.size, tag="back"))


def _duplicated_deposit(event: Event) -> None:
    row = event.row("deposit", event.size)
    event.ours += [row, row]
    event.theirs.append(row)


def _pair(kind: str, other: Callable[[Event], Movement]) -> Callable[[Event], None]:
    def story(event: Event) -> None:
        event.theirs += [event.row(kind, quantity.negate(event.size), tag="a"), other(event)]

    return story


def _renamed(event: Event) -> None:
    event.ours.append(event.row("deposit", event.size, asset="OLD"))
    event.theirs.append(event.row("deposit", event.size, asset="NEW"))


def _short(event: Event, **more: Any) -> Fill:
    return event.fill(margin=True, **more)


def _margin_wrong_side(event: Event) -> None:
    event.both(event.order())
    event.traded([replace(_short(event), side=OrderSide.SELL)], [_short(event)])


def _margin_missed(event: Event) -> None:
    event.ours.append(event.order("open"))
    event.theirs.append(event.order())
    event.traded([], [_short(event)])


def _liquidation(event: Event) -> None:
    event.traded([], [_short(event, extra={"ordertype": "liquidation"})])


def _settlement(event: Event) -> None:
    event.traded([], [_short(event, extra={"ordertype": "settle-position"})])


def _rollover(event: Event) -> None:
    event.both(event.order())
    event.traded([_short(event)], [_short(event)])
    event.theirs.append(replace(event.row("rollover", "0", "USD", tag="r", fee=D("0.31")), refers_to=f"T{event.name}"))


def _ghost(event: Event) -> None:
    event.ours.append(event.order("open"))


def _foreign(event: Event) -> None:
    event.theirs.append(event.order("open", client=False))


def _missed_cancel(event: Event) -> None:
    event.ours.append(event.order("open"))
    event.theirs.append(event.order("canceled"))


def _wrong_opening(event: Event) -> None:
    """Leave a row without an id in the book's balance only; see ``world_of``."""
    event.ours.append(replace(event.row("opening", event.size), at=WINDOW - timedelta(hours=1)))
    event.both(event.row("deposit", event.size))


STORIES: dict[str, Callable[[Event], None]] = {
    "agreed_trade": _agreed_trade,
    "agreed_deposit": _agreed_deposit,
    "missed_fill": _missed_fill,
    "manual_trade": _manual_trade,
    "duplicated_fill": _duplicated_fill,
    "wrong_side": _other_terms(side=OrderSide.SELL),
    "wrong_price": _other_terms(price=D("0.7")),
    "wrong_amount": _wrong_amount,
    "unbooked_fee": _other_terms(fee=quantity.ZERO),
    "fee_in_other_asset": _other_terms(fee=D("0.003"), fee_asset=Asset("KFEE")),
    "unbooked_deposit": _missing("deposit"),
    "unbooked_withdrawal": _missing("withdrawal", "-1"),
    "failed_withdrawal": _failed_withdrawal,
    "duplicated_movement": _duplicated_deposit,
    "reward": _missing("reward", wallet=Wallet.EARN),
    "exchange_adjustment": _missing("exchange_adjustment"),
    "delisting": _missing("delisting", "-1"),
    "internal_transfer": _missing("transfer", "-1", extra={"subtype": "spottofutures"}),
    "unexplained": _phantom("deposit"),
    "phantom_record": _phantom("reward"),
    "in_flight": _phantom("withdrawal", "-1"),
    "conversion": _pair("conversion", lambda e: e.row("conversion", "17.31", "USD", tag="b")),
    "earn_transfer": _pair("earn_transfer", lambda e: e.row("earn_transfer", e.size, tag="b", wallet=Wallet.EARN)),
    "renamed_asset": _renamed,
    "margin_wrong_side": _margin_wrong_side,
    "margin_missed_fill": _margin_missed,
    "liquidation": _liquidation,
    "settlement": _settlement,
    "rollover": _rollover,
    "ghost_order": _ghost,
    "foreign_order": _foreign,
    "missed_cancel": _missed_cancel,
    "wrong_opening": _wrong_opening,
}


class Told(Struct, frozen=True):
    """One story to be told: what, of which size, in which instrument."""

    story: str
    size: Decimal
    instrument: str = "ETH/USD"


def world_of(stories: Iterable[Told], *, lists: bool = True, names: str = "ABCDEFGHIJ") -> World:
    """Return the world in which these stories happened, one after the other.

    A book that *lists* nothing keeps balances and positions alone.
    """
    events = []
    for number, told in enumerate(stories):
        at = T0 - _FIRST + number * _STEP
        event = Event(f"{names[number]}1", at, told.size, Instrument(told.instrument))
        STORIES[told.story](event)
        events.append(event)
    ours = [row for event in events for row in event.ours]
    theirs = [row for event in events for row in event.theirs]
    held = dict.fromkeys(_places([*ours, *theirs]), _OPENING)
    book = internal(*_stated(held, ours), *filter(_in_window, ours), since=_since())
    if not lists:
        few = Coverages(balances=ALL.balances, positions=ALL.positions)
        book = replace(book, coverage=few, orders=(), fills=(), movements=())
    return World(book, exchange(*_stated(held, theirs), *_running(held, theirs), since=_since()), PRICES)


def _since() -> Since:
    return Since(orders=WINDOW, fills=WINDOW, movements=WINDOW)


def _places(rows: Iterable[Record]) -> dict[tuple[Asset, Wallet], None]:
    return dict.fromkeys((row.asset, row.wallet) for row in rows if isinstance(row, Movement))


def _in_window(row: Record) -> bool:
    return not isinstance(row, Movement) or row.at >= WINDOW


def _stated(held: dict[tuple[Asset, Wallet], Decimal], rows: list[Record]) -> Iterable[Record]:
    totals = dict(held)
    for row in rows:
        if isinstance(row, Movement):
            totals[row.asset, row.wallet] = _after(totals[row.asset, row.wallet], row)
    yield from (Balance(asset, wallet, total) for (asset, wallet), total in totals.items())
    yield from net_positions([row for row in rows if isinstance(row, Fill)])


def _after(total: Decimal, row: Movement) -> Decimal:
    return quantity.subtract(quantity.add(total, row.amount), row.fee)


def _running(held: dict[tuple[Asset, Wallet], Decimal], rows: list[Record]) -> Iterable[Record]:
    totals = dict(held)
    for row in rows:
        if isinstance(row, Movement):
            totals[row.asset, row.wallet] = _after(totals[row.asset, row.wallet], row)
            yield replace(row, balance_after=totals[row.asset, row.wallet])
        else:
            yield row


_TINY = st.sampled_from(["0.00000001", "0.00000002", "0.0000001"]).map(D)
"""As small as what is tolerated, and a little more."""
sizes = (
    st.builds(lambda digits, places: D(digits).scaleb(-places), st.integers(1, 99_999_999), st.integers(0, 8)) | _TINY
)
told = st.builds(Told, st.sampled_from(sorted(STORIES)), sizes, st.sampled_from(sorted(_MARKETS)))
_first = Told("agreed_deposit", D("5.5"))
_days = st.lists(told, min_size=1, max_size=5).map(lambda day: [_first, *day])
recorded_worlds = st.builds(world_of, _days)
"""Both sides list every record, so that ids prove what happened."""
worlds = st.builds(world_of, _days, lists=st.booleans())
"""Of some books only the balances and positions are known."""
