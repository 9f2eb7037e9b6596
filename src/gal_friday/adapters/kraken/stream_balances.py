"""The channel balances: what every wallet of every asset comes to, and the ledger rows that change it.

The suffixes of REST (XBT.F, DOT.B) are wallets of one asset here. A wallet that nobody knows is told under its
own name (I15). A row that comes late never takes a balance back to what it was.

Source: Kraken WebSocket v2 documentation, Balances; Kraken REST documentation, Earn (lock types).
"""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.stream_frames import BALANCES
from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.assets import Wallet
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.quantity import add, subtract, total
from gal_friday.ports.stream import BalanceSeen, Missed, StreamEvent

# As names.py has the suffixes: ``flex`` is ``.F``, which normal orders may sell.
WALLETS = {
    "main": Wallet.SPOT,
    "flex": Wallet.SPOT,
    "flexible": Wallet.EARN,
    "liquid": Wallet.EARN,
    "bonded": Wallet.BONDED,
    "locked": Wallet.BONDED,
}
HELD_MAX = 10_000

Place = tuple[str, str]
"""An asset and a wallet, as the exchange calls them."""


class Held(Struct, frozen=True):
    """What one wallet came to, and when that was written; None for the snapshot's."""

    balance: Decimal
    at: datetime | None


class Balances:
    """What is told of balances, over all connections of one stream."""

    def __init__(self, names: Names, seen: Seen) -> None:
        """Tell no ledger row of *seen*, and remember there what was told."""
        self.names = names
        self._seen = seen
        self._held: dict[Place, Held] = {}
        self._told: dict[tuple[str, str], Decimal] = {}
        self._as_of: datetime | None = None

    def snapshot(self, rows: tuple[Row, ...], at: datetime, as_of: datetime | None) -> list[StreamEvent]:
        """Return the balances that are new; rows written before *as_of*, by the exchange's clock, are part of them."""
        self._held.clear()
        self._as_of = as_of
        missed: list[StreamEvent] = []
        for row in rows:
            try:
                self._take(row)
            except GalFridayError as error:
                missed.append(Missed(f"a balance that cannot be read: {error}", at))
        # One place for each asset and wallet as we know it: two of theirs can be one of ours.
        places = {_ours(place): place for place in self._held}
        self._told = {our: told for our, told in self._told.items() if our in places}
        told = [(our, self._told.get(our), self._seen_at(place, at)) for our, place in places.items()]
        return [*(seen for _, before, seen in told if seen.total != before), *missed]

    def update(self, rows: tuple[Row, ...], at: datetime, *, late: bool = False) -> list[StreamEvent]:
        """Return what these ledger rows make of the balances, in their order; *late*: their number was passed."""
        events: list[StreamEvent] = []
        for row in rows:
            try:
                events += self._entry(row, at, late=late)
            except GalFridayError as error:
                events.append(Missed(f"a ledger row that cannot be read: {error}", at))
        return events

    def _take(self, row: Row) -> None:
        asset = wire.word(row, "asset", (BALANCES, ""))
        wallets = row.get("wallets")
        if not isinstance(wallets, list) or not all(isinstance(each, dict) for each in wallets):
            wire.refuse((BALANCES, asset), "wallets", "a list of wallets was expected")
        for each in wallets:
            where = (BALANCES, asset)
            self._hold((asset, wire.word(each, "id", where)), Held(wire.amount(each, "balance", where), None))

    def _entry(self, row: Row, at: datetime, *, late: bool) -> list[StreamEvent]:
        name = wire.word(row, "ledger_id", (BALANCES, ""))
        where = (BALANCES, name)
        if name in self._seen:
            return []
        place = (wire.word(row, "asset", where), wire.word(row, "wallet_id", where))
        held = Held(wire.amount(row, "balance", where), wire.dated(row, "timestamp", where))
        moved = subtract(wire.amount(row, "amount", where), wire.amount_or_zero(row, "fee", where))
        self._seen.add(name)
        if self._goes_back(place, held, moved, late=late):
            return []
        self._hold(place, held)
        return [self._seen_at(place, at, name, wire.word_or_empty(row, "ref_id", where) or None)]

    def _goes_back(self, place: Place, held: Held, moved: Decimal, *, late: bool) -> bool:
        """Say whether this row, which moved the balance by so much, is part of what is known already."""
        before = self._held.get(place)
        newest = before.at if before is not None and before.at is not None else self._as_of
        if not late and (newest is None or held.at is None or held.at >= newest):
            return False
        # Written before what is known; news all the same if it goes on from there.
        return before is None or add(before.balance, moved) != held.balance

    def _hold(self, place: Place, held: Held) -> None:
        self._held[place] = held
        if len(self._held) > HELD_MAX:
            del self._held[next(iter(self._held))]

    def _seen_at(
        self, place: Place, at: datetime, name: str | None = None, refers_to: str | None = None
    ) -> BalanceSeen:
        asset, wallet = place
        ours = _ours(place)
        summed = self._told[ours] = total(held.balance for other, held in self._held.items() if _ours(other) == ours)
        if len(self._told) > HELD_MAX:
            del self._told[next(iter(self._told))]
        return BalanceSeen(
            asset=self.names.asset(asset),
            wallet=WALLETS.get(wallet),
            total=summed,
            received_at=at,
            raw=place,
            movement_id=name,
            refers_to=refers_to,
            at=self._held[place].at,
        )


def _ours(place: Place) -> Place:
    """Return the asset, and the wallet as we call it where we know it."""
    asset, wallet = place
    return asset, WALLETS.get(wallet, wallet)
