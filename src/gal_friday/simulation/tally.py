"""What was planted, held against what was reported and repaired, by one who knows the truth.

It never asks the product what is right: the exchange's own state and the bot's list of errors say that.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec import Struct, field

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import Discrepancy, RecordDiscrepancy
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import FILL_LEG_KINDS, LIVE_STATUSES, Fill, Movement, Order, Record
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Snapshot
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.simulation.planted import Effects, Place, Planted, add

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LAGS = timedelta(seconds=60)
"""How far the simulated exchange's answers lag behind at most, twice over."""


class Case(Struct):
    """One planted error, and what became of it."""

    planted: Planted
    suspected: datetime | None = None
    confirmed: datetime | None = None
    explained: datetime | None = None
    """When its cause was first named rightly."""
    cause: str = ""
    """What it was called last."""
    due: int = 0
    """How often one of its findings had to be in a report."""
    missed: int = 0
    """How often it was not."""
    amid: bool = False
    """Whether it was seen when the policy leaves everything to people: beside so much else that was truly wrong, or
    after as many corrections of an hour or a day as it allows."""
    dear: bool = False
    """Whether it is worth more than the policy corrects by itself."""


class Tally(Struct):
    """Everything that was counted in one world."""

    runs: int = 0
    shown: int = 0
    """Discrepancies in all reports."""
    failed: int = 0
    incomplete: int = 0
    calls: int = 0
    corrected: int = 0
    """Adjustments that were posted without a person."""
    cases: list[Case] = []
    false: list[str] = []
    missed: list[str] = []
    wrong: list[str] = []
    """Corrections that were not right."""
    amounts: int = 0
    """Balances and positions that differed, confirmed, in all reports."""
    to_zero: int = 0
    """Of them, those that were explained without residual."""
    notices: int = 0
    """Messages that channels heard."""
    told_twice: list[str] = []
    never_told: list[str] = []
    verdicts: Counter[str] = field(default_factory=Counter)


class Judge:
    """Looks at every run of one account."""

    def __init__(self, planted: Sequence[Planted], tally: Tally, policy: Policy) -> None:
        """*planted* grows while the world goes on."""
        self._planted, self._tally, self._policy = planted, tally, policy
        self._cases: dict[int, Case] = {}
        self._remembered: set[int] = set()
        self._posted: dict[str, datetime] = {}
        self._on_the_way: dict[str, datetime] = {}
        """Until when an asset was last seen on its way out."""
        self._true: set[str] = set()
        """Keys that were rightly in the last report that has them, and are open since."""

    def on_the_way(self, assets: Collection[str], now: datetime) -> None:
        """Note which assets are on their way out, after every event: balances that are read until then lack them."""
        ended = {asset: min(until, now) for asset, until in self._on_the_way.items()}
        self._on_the_way = ended | dict.fromkeys(assets, datetime.max.replace(tzinfo=UTC))

    def case_of(self, planted: Planted) -> Case:
        """Return what is known of a planted error."""
        found = self._cases.get(id(planted))
        if found is None:
            found = self._cases[id(planted)] = Case(planted)
            self._tally.cases.append(found)
        return found

    def saw(
        self, report: ReconciliationReport, began: datetime, ended: datetime, calls: int, *, stale: bool = False
    ) -> None:
        """Count one report.

        *stale*: the exchange gave an old answer in place of the new one, or a wrong time, while the run asked. That
        cannot be seen at once, so what is suspected then is no mistake; what is confirmed is, unless it was right when
        a run saw it last.
        """
        tally = self._tally
        tally.runs += 1
        tally.calls += calls
        tally.verdicts[report.verdict.value] += 1
        if report.status is ReconciliationStatus.FAILED:
            tally.failed += 1
            return
        known = [one for one in self._planted if one.at <= ended and _shows(one, began - _LAGS)]
        shown: dict[str, Discrepancy] = {one.key: one for one in report.discrepancies}
        where = f"{report.account} {report.reconciliation_id} at {began:%H:%M:%S}"
        false = len(tally.false)
        true = {key for key, one in shown.items() if self._is_true(one, known, began)}
        for key, discrepancy in shown.items():
            # What is open already is confirmed by the first run that sees anything there.
            first = discrepancy.state == "suspected" or key in self._true
            if not (key in true or (stale and first)):
                tally.false.append(f"{where}: {discrepancy.type} {discrepancy.key} ({discrepancy.cause})")
            tally.shown += 1
            if not isinstance(discrepancy, RecordDiscrepancy) and discrepancy.state == "confirmed":
                tally.amounts += 1
                tally.to_zero += discrepancy.bridge is not None and not discrepancy.bridge.residual
        self._true = true | self._true.difference(shown)
        many = report.total_discrepancies > self._policy.breaker_discrepancies and len(tally.false) == false
        self._posted |= {one.adjustment_id: began for one in report.auto_corrections}
        self._note(report, began, known, shown, amid=many or self._is_spent(began))
        if report.verdict is Verdict.INCOMPLETE:
            tally.incomplete += 1
        else:
            self._look(where, report, began, known, shown)
        tally.corrected += len(report.auto_corrections)

    def weighs(self, prices: Mapping[str, Decimal]) -> None:
        """Note which errors are worth more than the policy corrects by itself, at these prices of assets."""
        for case in self._cases.values():
            worth = [
                quantity.multiply(quantity.absolute(amount), prices.get(str(asset), quantity.ZERO))
                for (asset, _), amount in case.planted.effects.items()
            ]
            case.dear = max(worth, default=quantity.ZERO) > self._policy.proven_max_value

    def remembers(self, report: ReconciliationReport, keys: Collection[str]) -> None:
        """Count what was seen, is still wrong, and is not among the *keys* that are open (I7)."""
        self._true.intersection_update(keys)
        for planted in self._planted:
            if id(planted) not in self._remembered or planted.over is not None or planted.keys[0] in planted.right:
                continue
            if planted.keys[0] not in keys:
                where = f"{report.account} {report.reconciliation_id}"
                self._tally.missed.append(f"{where}: {planted.lie} {planted.keys[0]} was seen, and is forgotten")

    def forget(self) -> None:
        """Expect nothing to be remembered of what was seen until now: what is kept was put back to a backup."""
        self._remembered.clear()

    def _is_true(self, shown: Discrepancy, known: Sequence[Planted], began: datetime) -> bool:
        """Say whether something that was planted may show itself in this."""
        kind, _, name = shown.key.partition(":")
        match kind:
            case "balances" | "holds":
                asset = name.split(":")[0]
                moving = self._on_the_way.get(asset, began) > began
                return moving or any(asset == str(at[0]) for one in known for at in one.effects)
            case "positions":
                pair = name.split(":")[0]
                return any(pair == str(one.instrument) for one in known)
            case "sources":
                return any(ident in name for one in known for ident in one.records)
            case _:
                return any(name.split(":")[0] in one.records for one in known)

    def _is_spent(self, now: datetime) -> bool:
        """Say whether as many corrections were posted as the policy allows."""
        hour, day = (sum(now - at < limit for at in self._posted.values()) for limit in (_HOUR, _DAY))
        return hour >= self._policy.corrections_per_hour or day >= self._policy.corrections_per_day

    def _note(
        self, report: ReconciliationReport, began: datetime, known: Sequence[Planted], shown: Mapping[str, Discrepancy],
        *, amid: bool,
    ) -> None:  # fmt: skip
        causes: dict[str, list[str]] = {}
        for root in report.root_causes:
            for key in root.symptoms:
                causes.setdefault(key, []).append(root.cause)
        for planted in known:
            case, key = self.case_of(planted), planted.keys[0]
            if key not in shown:
                continue
            case.suspected, case.amid = case.suspected or began, case.amid or amid
            self._remembered.add(id(planted))
            if shown[key].state == "confirmed":
                case.confirmed = case.confirmed or began
            named = causes.get(key, [Cause.UNEXPLAINED])
            case.cause = next((cause for cause in named if cause in planted.causes), named[0])
            if case.cause in planted.causes:
                case.explained = case.explained or began

    def _look(
        self, where: str, report: ReconciliationReport, began: datetime, known: Sequence[Planted],
        shown: Mapping[str, Discrepancy],
    ) -> None:  # fmt: skip
        """Note every error that was old enough to be seen, and was not."""
        limit = began - self._policy.grace_of("kraken") - _LAGS
        for planted in known:
            if planted.at > limit or planted.over is not None:
                continue
            case = self.case_of(planted)
            for key in planted.keys:
                young = planted.wrong_again.get(key, planted.at) > limit
                if young or key in planted.right or _not_looked_at(report, key):
                    continue
                case.due += 1
                if key not in shown:
                    case.missed += 1
                    self._tally.missed.append(f"{where}: {planted.lie} {key}, planted {planted.at:%H:%M:%S}")


def _shows(planted: Planted, since: datetime) -> bool:
    """Say whether an error may show itself in what was read from then on."""
    return planted.over is None or planted.order_is_behind or planted.over >= since


def _not_looked_at(report: ReconciliationReport, key: str) -> bool:
    """Say whether the report says itself that it did not look at this."""
    kind = key.partition(":")[0]
    return any(kind == str(gap.kind) for gap in report.not_checked if gap.side is not None)


def right_keys(planted: Planted, held: Snapshot) -> frozenset[str]:
    """Return the keys of an error under which the book has now what the exchange has."""
    truths = {_name(one): one for one in planted.truth}
    return frozenset(key for key in planted.keys if _is_right(key, truths.get(key.partition(":")[2]), held))


def _is_right(key: str, truth: Record | None, held: Snapshot) -> bool:
    kind, _, name = key.partition(":")
    if kind == "orders":
        status = next((one.status for one in held.orders if one.name == name), None)
        return status == truth.status if isinstance(truth, Order) else status not in LIVE_STATUSES
    if kind == "fills":
        fills = [_terms(one) for one in held.fills if one.fill_id == name]
        return fills == ([_terms(truth)] if isinstance(truth, Fill) else []) and _pays(truth, held)
    rows = [_terms(one) for one in held.movements if one.movement_id == name]
    return rows == ([_terms(truth)] if isinstance(truth, Movement) else [])


def is_behind(planted: Planted, held: Snapshot) -> bool:
    """Say whether the order of one of its fills is filled less in the book than the book's own fills of it say.

    A fill that was booked while the exchange's orders could not be read leaves it so, until a run has read them.
    """
    names = {one.order_id for one in planted.truth if isinstance(one, Fill) and one.order_id is not None}
    for order in held.orders:
        if order.order_id in names:
            filled = quantity.total(one.quantity for one in held.fills if one.order_id == order.order_id)
            if order.filled < filled:
                return True
    return False


def _pays(truth: Record | None, held: Snapshot) -> bool:
    """Say whether the book has the fee of a fill: with the fill, or in rows of its own."""
    if not isinstance(truth, Fill):
        return True
    rows: list[tuple[Asset | None, Decimal]] = [(one.asset, one.fee) for one in _legs(truth, held) if one.fee]
    paid = rows or [(one.fee_asset, one.fee) for one in held.fills if one.fill_id == truth.fill_id and one.fee]
    return paid == ([(truth.fee_asset, truth.fee)] if truth.fee else [])


def _legs(fill: Fill, held: Snapshot) -> Iterable[Movement]:
    # A position goes by the name of the fill that opened it, and so do the rows of its rollovers.
    return (one for one in held.movements if one.refers_to == fill.fill_id and one.kind in FILL_LEG_KINDS)


def _name(record: Record) -> str:
    match record:
        case Fill(fill_id=name) | Movement(movement_id=name):
            return name
        case Order():
            return record.name
        case _:
            return ""


def _terms(record: Fill | Movement) -> tuple[object, ...]:
    if isinstance(record, Fill):
        return record.side, record.quantity, record.price
    return record.asset, record.wallet, record.amount, record.fee


def _booked_alone(planted: Planted, held: Snapshot) -> Iterable[Movement]:
    """Yield what fills moved that the book lacks: their rows were booked while the fills could not be read."""
    known = {one.fill_id for one in held.fills}
    for fill in planted.truth:
        if isinstance(fill, Fill) and fill.fill_id not in known:
            yield from _legs(fill, held)


def off_by(held: Snapshot, real: Mapping[Place, Decimal]) -> Effects:
    """Return exchange − internal of every balance that is not the same on both sides."""
    off: Effects = {}
    for place, total in real.items():
        add(off, place, total)
    for balance in held.balances:
        add(off, (balance.asset, balance.wallet), quantity.negate(balance.total))
    return {place: amount for place, amount in off.items() if amount}


def planted_effects(planted: Sequence[Planted], held: Snapshot, approved: Collection[str] = ()) -> Effects:
    """Return what errors that are still in the book add up to.

    Who *approved* a number, and turned down the record that came to light later, has the one in place of the other.
    """
    effects: Effects = {}
    for one in planted:
        if one.is_off:
            for place, amount in one.left.items():
                add(effects, place, amount)
            for row in _booked_alone(one, held):
                add(effects, (row.asset, row.wallet), quantity.negate(quantity.subtract(row.amount, row.fee)))
    turned_down = {place for one in planted if one.decided for place in one.effects}
    for row in held.movements:
        place = (row.asset, row.wallet)
        if row.kind == "plug" and place in turned_down and row.movement_id.split(":")[1] in approved:
            add(effects, place, quantity.negate(row.amount))
    return {place: amount for place, amount in effects.items() if amount}
