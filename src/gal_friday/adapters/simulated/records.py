"""What the simulated exchange remembers: orders, trades, ledger rows, positions, movements of funds.

These are the working records of a state engine: orders and positions change in place, as they do on an
exchange. Amounts are exact decimals already cut to the digits of their asset; times are ticks. What goes
over the wire is made from them in ``wire``.
"""

from decimal import Decimal

import msgspec

ZERO = Decimal(0)

# The position id of every trade that closes nothing; seen the same across accounts and years.
NO_POSITION = "TKH2SE-M7IF5-CFI7LT"
OPEN = ("pending", "open")


class Order(msgspec.Struct):
    """One order, from its placing to its end and beyond."""

    id: str
    pair: str
    side: str
    ordertype: str
    volume: Decimal
    price: Decimal
    price2: Decimal
    opened: int
    leverage: int = 0
    oflags: tuple[str, ...] = ("fciq",)
    userref: int | None = None
    cl_ord_id: str | None = None
    time_in_force: str = "gtc"
    trigger: str | None = None
    reduce_only: bool = False
    hedged: bool = False
    starts: int = 0
    expires: int = 0
    closed: int = 0
    status: str = "open"
    reason: str | None = None
    refid: str | None = None
    close: tuple[str, Decimal] | None = None
    trades: list[str] = []
    volume_done: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    misc: list[str] = []
    # What the order reserves of its wallet while it is open; spot orders only.
    hold_asset: str = ""
    hold: Decimal = ZERO
    amends: list[dict[str, str]] = []
    json: dict[tuple[bool, bool], bytes] = {}

    @property
    def is_open(self) -> bool:
        """Whether the order can still be filled."""
        return self.status in OPEN


class Trade(msgspec.Struct):
    """One fill, spot or margin; ``position`` names the position it closes, if it closes one."""

    id: str
    ticks: int
    order: str
    pair: str
    side: str
    ordertype: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    volume: Decimal
    margin: Decimal
    leverage: int
    maker: bool
    trade_id: int
    misc: str = ""
    position: str = NO_POSITION
    opens: bool = False
    ledgers: list[str] = []
    json: dict[tuple[int, bool], bytes] = {}

    @property
    def closes(self) -> bool:
        """Whether the fill closes part of a position."""
        return self.position != NO_POSITION


class LedgerRow(msgspec.Struct):
    """One row of the ledger: signed amount before the fee, fee, and the balance after it."""

    id: str
    ticks: int
    refid: str
    kind: str
    subtype: str
    aclass: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    json: bytes = b""


class Position(msgspec.Struct):
    """One margin position: what a single opening fill made. Its id is that fill's id."""

    id: str
    order: str
    pair: str
    side: str
    ordertype: str
    opened: int
    volume: Decimal
    cost: Decimal
    fee: Decimal
    margin: Decimal
    leverage: int
    rollover_at: int
    closed_volume: Decimal = ZERO
    closed_basis: Decimal = ZERO
    closed_cost: Decimal = ZERO
    closed_fee: Decimal = ZERO
    closed_margin: Decimal = ZERO
    net: Decimal = ZERO
    closing_trades: list[str] = []

    @property
    def is_open(self) -> bool:
        """Whether some of it is left."""
        return self.closed_volume < self.volume


class Transfer(msgspec.Struct):
    """A deposit or withdrawal with its life: Initial, Pending, Success, Settled, Failure."""

    refid: str
    asset: str
    amount: Decimal
    fee: Decimal
    method: str
    txid: str
    info: str
    ticks: int
    status: str
    note: str | None = None
    booked: bool = False


class Export(msgspec.Struct):
    """One report: what was asked, when, and the packed file."""

    id: str
    report: str
    description: str
    format: str
    fields: str
    created: int
    data_from: int
    data_until: int
    packed: bytes


class Booked(msgspec.Struct, frozen=True):
    """The ids of one event that was not a trade: its refid and its ledger rows, in order."""

    refid: str
    ledgers: tuple[str, ...] = ()


class Execution(msgspec.Struct, frozen=True):
    """The ids of one fill: its trade, its ledger rows, the position it opened or closed."""

    trade: str
    ledgers: tuple[str, ...]
    position: str | None = None


class Placed(msgspec.Struct, frozen=True):
    """The id of a new order and of every fill that it got at once."""

    order: str
    executions: tuple[Execution, ...] = ()
