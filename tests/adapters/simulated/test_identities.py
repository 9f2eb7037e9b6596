"""K1 to K10 hold at every moment, whatever happens on the exchange in whatever order."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gal_friday.adapters.simulated import Exchange, Refused, VirtualClock, scenarios
from tests.adapters.simulated.identities import check_all

PAIRS = {"XXBTZUSD": ("60000.0", 1), "XXRPZUSD": ("0.61000", 5), "XDGUSD": ("0.1500000", 7)}
pairs = st.sampled_from(sorted(PAIRS))
sides = st.sampled_from(["buy", "sell"])
volumes = st.integers(1, 10**9).map(lambda units: Decimal(units).scaleb(-8))
shares = st.integers(1, 100).map(lambda percent: Decimal(percent).scaleb(-2))
assets = st.sampled_from(["ZUSD", "XXBT", "XXRP", "XXDG"])
amounts = st.integers(1, 10**8).map(lambda units: Decimal(units).scaleb(-4))
swings = st.integers(50, 150)


class Life(RuleBasedStateMachine):
    """Random events on two accounts; a refusal is an answer like any other."""

    @initialize(
        seed=st.integers(0, 2**16),
        pays_in_credits=st.booleans(),
        tier=st.sampled_from(["0", "50000", "9999999"]),
    )
    def open(self, seed: int, pays_in_credits: bool, tier: str) -> None:
        self.clock = VirtualClock()
        self.exchange = Exchange(self.clock.now, seed)
        self.exchange.open_account("main", fee_volume=tier, uses_fee_credits=pays_in_credits)
        self.exchange.open_account("other")
        for asset, amount in (
            ("ZUSD", "90000"),
            ("XXBT", "3"),
            ("XXRP", "50000"),
            ("XXDG", "9000"),
            ("KFEE", "50"),
        ):
            self.exchange.deposit("main", asset, amount)
        for pair, (price, _) in PAIRS.items():
            self.exchange.set_price(pair, price)

    def price(self, pair: str, swing: int) -> Decimal:
        price, digits = PAIRS[pair]
        units = int(Decimal(price).scaleb(digits)) * swing // 100
        return Decimal(max(1, units)).scaleb(-digits)

    @rule(pair=pairs, swing=swings)
    def move_a_price(self, pair: str, swing: int) -> None:
        self.exchange.set_price(pair, self.price(pair, swing))

    @rule(
        pair=pairs, side=sides, volume=volumes, leverage=st.sampled_from([0, 0, 2, 5]),
        parts=st.integers(1, 3), base_fee=st.booleans(), hedged=st.booleans(),
    )  # fmt: skip
    def trade_at_market(
        self,
        pair: str,
        side: str,
        volume: Decimal,
        leverage: int,
        parts: int,
        *,
        base_fee: bool,
        hedged: bool,
    ) -> None:
        oflags = ("fcib",) if base_fee else ("fciq",)
        self.attempt(
            "place_order", "main", pair, side, "market", volume, leverage=leverage, parts=parts,
            oflags=oflags, hedged=hedged,
        )  # fmt: skip

    @rule(
        pair=pairs, side=sides, volume=volumes, swing=swings, leverage=st.sampled_from([0, 0, 3]),
        kind=st.sampled_from(["limit", "limit", "stop-loss", "take-profit", "stop-loss-limit"]),
        reduce_only=st.booleans(),
    )  # fmt: skip
    def leave_an_order(
        self,
        pair: str,
        side: str,
        volume: Decimal,
        swing: int,
        leverage: int,
        kind: str,
        *,
        reduce_only: bool,
    ) -> None:
        price = self.price(pair, swing)
        second = price if kind.endswith("-limit") else None
        self.attempt(
            "place_order", "main", pair, side, kind, volume, price, second, leverage=leverage,
            reduce_only=reduce_only and leverage > 0,
        )  # fmt: skip

    @rule(choice=st.integers(0, 99), share=shares, swing=swings, maker=st.booleans())
    def fill_part_of_an_order(self, choice: int, share: Decimal, swing: int, *, maker: bool) -> None:
        order = self.some_order(choice)
        if order is not None:
            left = order.volume - order.volume_done
            part = (left * share).quantize(Decimal("1E-8"))
            self.attempt("fill_order", order.id, part, self.price(order.pair, swing), maker=maker)

    @rule(choice=st.integers(0, 99), what=st.sampled_from(["cancel_order", "expire_order"]))
    def end_an_order(self, choice: int, what: str) -> None:
        order = self.some_order(choice)
        if order is not None:
            self.attempt(what, order.id)

    @rule(choice=st.integers(0, 99), volume=volumes, swing=swings)
    def amend_an_order(self, choice: int, volume: Decimal, swing: int) -> None:
        order = self.some_order(choice)
        if order is not None:
            self.attempt("amend_order", order.id, volume=volume, price=self.price(order.pair, swing))

    @rule(asset=assets, amount=amounts, failing=st.booleans(), booked=st.booleans(), done=st.booleans())
    def withdraw(self, asset: str, amount: Decimal, *, failing: bool, booked: bool, done: bool) -> None:
        sent = self.attempt("withdraw", "main", asset, amount, fee="0.0025", booked=booked)
        if sent is not None and done:
            self.attempt("fail_withdrawal" if failing else "settle_withdrawal", sent.refid)

    @rule(asset=assets, amount=amounts, what=st.sampled_from(["deposit", "airdrop", "adjust", "reward"]))
    def receive(self, asset: str, amount: Decimal, what: str) -> None:
        self.attempt(what, "main", asset, amount)

    @rule(asset=assets, amount=amounts, wallet=st.sampled_from([".B", ".S", ".M"]), back=st.booleans())
    def earn(self, asset: str, amount: Decimal, wallet: str, *, back: bool) -> None:
        self.attempt("deallocate" if back else "allocate", "main", asset, amount, wallet)

    @rule(asset=assets)
    def switch_on_rewards(self, asset: str) -> None:
        self.attempt("switch_on_rewards", "main", asset)

    @rule(asset=assets, amount=amounts, futures=st.booleans())
    def send_away(self, asset: str, amount: Decimal, *, futures: bool) -> None:
        if futures:
            self.attempt("to_futures", "main", asset, amount)
        else:
            self.attempt("transfer", "main", "other", asset, amount)

    @rule(amount=amounts)
    def convert(self, amount: Decimal) -> None:
        self.attempt("convert", "main", "ZUSD", amount, "XXRP", amount, fee="0.0100")

    @rule(choice=st.integers(0, 99), share=shares)
    def settle_a_position(self, choice: int, share: Decimal) -> None:
        positions = list(self.exchange.account("main").open_positions.values())
        if positions:
            position = positions[choice % len(positions)]
            left = position.volume - position.closed_volume
            self.attempt("settle_position", position.id, (left * share).quantize(Decimal("1E-8")))

    @rule(what=st.sampled_from(["rollover", "roll_due", "liquidate"]))
    def happen_to_positions(self, what: str) -> None:
        self.attempt(what, "main")

    @rule(minutes=st.integers(1, 600))
    def let_time_pass(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @invariant()
    def identities_hold(self) -> None:
        if hasattr(self, "exchange"):
            check_all(self.exchange)

    def some_order(self, choice: int):  # type: ignore[no-untyped-def]
        orders = list(self.exchange.account("main").open_orders.values())
        return orders[choice % len(orders)] if orders else None

    def attempt(self, what: str, *arguments, **options):  # type: ignore[no-untyped-def]
        try:
            return getattr(self.exchange, what)(*arguments, **options)
        except Refused:
            return None


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase


def test_the_identities_hold_in_the_quiet_world() -> None:
    check_all(scenarios.quiet(3).exchange)


def test_the_identities_hold_in_a_busy_world() -> None:
    check_all(scenarios.busy(3, fills=300, ledger_rows=900).exchange)


def test_the_same_seed_makes_the_same_world() -> None:
    first, second = scenarios.quiet(7).exchange, scenarios.quiet(7).exchange
    assert first.ledgers_csv("main") == second.ledgers_csv("main")
    assert first.trades_csv("main") == second.trades_csv("main")


def test_another_seed_makes_other_ids() -> None:
    assert scenarios.quiet(7).key.key != scenarios.quiet(8).key.key
