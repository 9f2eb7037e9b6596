"""One account of the simulated exchange: its balances and everything that ever happened in it.

The state only; what may happen is decided in ``cash``, ``earn``, ``trading`` and ``margin``.
"""

from decimal import Decimal

from gal_friday.adapters.simulated.history import History
from gal_friday.adapters.simulated.records import ZERO, Export, LedgerRow, Order, Position, Trade, Transfer
from gal_friday.domain import quantity


class Account:
    """Balances, ledger, orders, trades and positions of one account."""

    def __init__(self, name: str, iban: str) -> None:
        self.name = name
        self.iban = iban
        self.balances: dict[str, Decimal] = {}
        self.ledger: History[LedgerRow] = History()
        self.trades: History[Trade] = History()
        self.single_trades: History[list[Trade]] = History()
        # Adjacent taker fills of one order, merged as TradesHistory shows them by default.
        self.groups: History[list[Trade]] = History()
        self.orders: dict[str, Order] = {}
        self.open_orders: dict[str, Order] = {}
        self.closed_orders: History[Order] = History()
        self.positions: dict[str, Position] = {}
        self.open_positions: dict[str, Position] = {}
        self.deposits: dict[str, Transfer] = {}
        self.withdrawals: dict[str, Transfer] = {}
        # Withdrawals that left the balance but are not in the ledger yet, per asset id.
        self.pending_out: dict[str, Decimal] = {}
        self.futures: dict[str, Decimal] = {}
        self.credit: dict[str, tuple[Decimal, Decimal]] = {}
        self.exports: dict[str, Export] = {}
        self.auto_earn: set[str] = set()
        self.fee_volume = ZERO
        self.uses_fee_credits = False

    def ledger_of(self, asset_id: str) -> History[LedgerRow]:
        """Return the rows of one asset id."""
        return self.ledger.view(("asset", asset_id), lambda row: row.asset == asset_id)

    def settled(self, asset_id: str) -> Decimal:
        """Return the balance as the newest ledger row has it."""
        return self.balances.get(asset_id, ZERO)

    def balance(self, asset_id: str) -> Decimal:
        """Return the balance net of pending withdrawals."""
        return quantity.subtract(self.settled(asset_id), self.pending_out.get(asset_id, ZERO))

    def held(self, asset_id: str) -> Decimal:
        """Return what open spot orders reserve of one asset id."""
        holds = (order.hold for order in self.open_orders.values() if order.hold_asset == asset_id)
        return quantity.total(holds)

    def free(self, asset_id: str) -> Decimal:
        """Return the balance that no open order reserves."""
        return quantity.subtract(self.balance(asset_id), self.held(asset_id))

    def add_trade(self, trade: Trade) -> None:
        """Remember a fill, and merge it with the one before it when both took from one spot order."""
        self.trades.append(trade.id, trade.ticks, trade)
        self.single_trades.append(trade.id, trade.ticks, [trade])
        last = self.groups.rows[-1] if self.groups.rows else None
        if last and _merges(last[-1], trade):
            last.append(trade)
        else:
            self.groups.append(trade.id, trade.ticks, [trade])


def _merges(earlier: Trade, later: Trade) -> bool:
    spot_taker = not (earlier.maker or later.maker or earlier.leverage or later.leverage)
    return spot_taker and earlier.order == later.order
