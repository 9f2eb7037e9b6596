"""The plain words for what a report says: one sentence per type of discrepancy, one per verdict.

Other programs rely on the names in the domain; these words are for people and may get better.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import assert_never

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import Plug, PostFill, Posting, PostMovement, PostOrder, TakeBack, TakeBackAdjustment
from gal_friday.domain.assets import Instrument, base_and_quote
from gal_friday.domain.discrepancy import (
    BalanceDiscrepancy,
    Discrepancy,
    PositionDiscrepancy,
    RecordDiscrepancy,
)
from gal_friday.domain.finding import DiscrepancyType as Type
from gal_friday.domain.materiality import Severity, more_severe
from gal_friday.domain.records import LIVE_STATUSES, Kind, Order
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus, Verdict

_WHAT = {
    Type.POSITION_MISSING_INTERNAL: "position missing from the book",
    Type.POSITION_MISSING_EXCHANGE: "position only in the book",
    Type.QUANTITY_MISMATCH: "position of another size",
    Type.SIDE_MISMATCH: "position on the wrong side",
    Type.COST_BASIS_MISMATCH: "average price differs",
    Type.BALANCE_MISMATCH: "balance differs",
    Type.HOLD_MISMATCH: "reserved amount differs",
    Type.ORDER_NOT_TRACKED: "order unknown to the book",
    Type.ORDER_MISSING_EXCHANGE: "order unknown to exchange",
    Type.ORDER_STATE_MISMATCH: "order: {field} differs",
    Type.ORDER_TERMS_MISMATCH: "order: {field} differs",
    Type.FILL_MISSING_INTERNAL: "fill never reached the book",
    Type.FILL_MISSING_EXCHANGE: "fill unknown to exchange",
    Type.FILL_MISMATCH: "fill: {field} differs",
    Type.FILL_DUPLICATED: "fill booked twice",
    Type.MOVEMENT_MISSING_INTERNAL: "movement never booked",
    Type.MOVEMENT_MISSING_EXCHANGE: "movement unknown to exchange",
    Type.MOVEMENT_MISMATCH: "movement: {field} differs",
    Type.MOVEMENT_DUPLICATED: "movement booked twice",
    Type.ORDER_DUPLICATED: "order booked twice",
    Type.BALANCE_DUPLICATED: "balance listed twice",
    Type.POSITION_DUPLICATED: "position listed twice",
    Type.UNRESOLVED_NAME: "name that nobody knows",
    Type.ORDER_FILLS_MISMATCH: "fills do not add up",
    Type.POSITION_FILLS_MISMATCH: "fills do not add up",
    Type.IDENTITY_CONFLICT: "one id, two contents",
    Type.SOURCE_INCONSISTENT: "records contradict each other",
    Type.LEDGER_GAP: "ledger rows are missing",
}

_FIELDS = {"filled": "filled quantity", "order_id": "order id"}
_COUNTED = ("quantity", "filled", "amount")
_SIDES = {"internal": "book", "exchange": "exchange"}

_SINGULAR = {
    Kind.BALANCES: "balance",
    Kind.POSITIONS: "position",
    Kind.ORDERS: "order",
    Kind.FILLS: "fill",
    Kind.MOVEMENTS: "movement",
}


_KIND_OF = {
    Type.ORDER_STATE_MISMATCH: "order: status or filled quantity differs",
    Type.ORDER_TERMS_MISMATCH: "order: terms differ",
    Type.FILL_MISMATCH: "fill: terms or fee differ",
    Type.MOVEMENT_MISMATCH: "movement: amount or place differs",
    Type.ORDER_FILLS_MISMATCH: "fills of an order do not add up",
    Type.POSITION_FILLS_MISMATCH: "fills of a position do not add up",
}


def sort_of(kind: Type) -> str:
    """Return what discrepancies of this type have in common, in plain words."""
    return _KIND_OF.get(kind) or _WHAT[kind]


def what(one: Discrepancy) -> str:
    """Return what differs, in plain words."""
    field = getattr(one, "field", "")
    words = _WHAT[one.type].format(field=_FIELDS.get(field, field.replace("_", " ")))
    side = getattr(one, "side", None)
    return f"{words} ({_SIDES[side]})" if side else words


def where(one: Discrepancy) -> str:
    """Return what it is about: asset and wallet, instrument, and the id of the record; nothing shortened."""
    match one:
        case BalanceDiscrepancy():
            return f"{one.currency} {one.wallet.replace('_', ' ')}".strip()
        case PositionDiscrepancy():
            return one.trading_pair if one.mode in ("", "net") else f"{one.trading_pair} {one.mode}"
        case _:
            return one.record_id if one.about in ("", one.record_id) else f"{one.about} {_id(one)}"


def unit(one: Discrepancy) -> str:
    """Return what its amounts are counted in: the asset, or of an instrument its base; empty where that is not sure."""
    match one:
        case BalanceDiscrepancy():
            return one.currency
        case PositionDiscrepancy():
            return "" if one.type is Type.COST_BASIS_MISMATCH else _base(one.trading_pair)
        case _ if one.field not in _COUNTED:
            return ""
        case _:
            return one.about if one.key.startswith("movements:") else _base(one.about)


def _base(instrument: str) -> str:
    """Return the base of an instrument; empty where its name does not tell."""
    return (base_and_quote(Instrument(instrument)) or ("",))[0]


def where_within(one: Discrepancy) -> str:
    """Return what it is about, under a row that has named the record already."""
    return one.about if isinstance(one, RecordDiscrepancy) and one.about else where(one)


def _id(one: RecordDiscrepancy) -> str:
    """Return the record's own id: what contradicts itself carries its kind before it."""
    return one.record_id.partition(":")[2] if one.key.startswith("sources:") else one.record_id


def posted(posting: Posting, *, adds: bool = False) -> str:
    """Return what this posting does, as a sentence without an end; *adds* where the book lacks the order of it."""
    short = quantity.short
    match posting:
        case PostFill(fill):
            what = f"{fill.side} {short(fill.quantity)} {fill.instrument}"
            return f"books the fill {fill.fill_id}: {what} at {short(fill.price)}"
        case PostMovement(one):
            fee = f", fee {short(one.fee)}" if one.fee else ""
            return f"books the {one.kind} {one.movement_id}: {_signed(one.amount)} {one.asset} in {one.wallet}{fee}"
        case PostOrder(order):
            return _order_posted(order, adds)
        case TakeBack(kind=kind, record_id=name, entries=entries, of=of):
            return f"takes {entries} of {counted(of, 'entry', 'entries')} back: {kind[:-1]} {name}"
        case Plug(kind=kind, name=name, part=part, amount=amount, price=price):
            at = f" at {short(price)}" if price is not None else ""
            return f"forces {_signed(amount)} {name}{at} into {kind} ({part}), against suspense"
        case TakeBackAdjustment(adjustment_id):
            return f"takes back whatever of {adjustment_id} still stands"
        case _:
            assert_never(posting)


def _order_posted(order: Order, adds: bool) -> str:
    done = f"{order.side}, {quantity.short(order.filled)} of {quantity.short(order.quantity)} {order.instrument} filled"
    if adds:
        return f"adds order {order.name} to the book as {order.status}: {done}"
    if order.status not in LIVE_STATUSES:
        return f"closes order {order.name} in the book, as {order.status}: {done}"
    return f"brings order {order.name} up to date in the book, as {order.status}: {done}"


def _signed(amount: Decimal) -> str:
    return f"+{quantity.short(amount)}" if amount > 0 else quantity.short(amount)


def headline(report: ReconciliationReport) -> str:
    """Return the verdict in words."""
    found = counted(report.total_discrepancies, "discrepancy", "discrepancies")
    if failed(report):
        return "FAILED: nothing could be compared" if not any_checked(report) else f"FAILED: not recorded; {found}"
    match report.verdict:
        case Verdict.RECONCILED:
            return "RECONCILED"
        case Verdict.DISCREPANCIES:
            return f"{found.upper()}, worst {worst(report)}"
        case Verdict.PENDING:
            return "PENDING: something is in motion"
        case Verdict.INCOMPLETE:
            seen = f"; {found}, worst {worst(report)}" if report.total_discrepancies else ""
            return f"INCOMPLETE: not all was checked{seen}"


def failed(report: ReconciliationReport) -> bool:
    """Say whether the run failed, whatever else it found."""
    return report.status is ReconciliationStatus.FAILED


def worst(report: ReconciliationReport) -> Severity:
    """Return the highest severity among the discrepancies; low where there is none."""
    return more_severe(Severity.LOW, *(one.severity for one in report.discrepancies))


def any_checked(report: ReconciliationReport) -> bool:
    """Say whether anything at all was compared."""
    return any(count for _, count in checked(report))


def checked(report: ReconciliationReport) -> tuple[tuple[Kind, int], ...]:
    """Return how many of each kind were judged."""
    return (
        (Kind.BALANCES, report.balances_checked),
        (Kind.POSITIONS, report.positions_checked),
        (Kind.ORDERS, report.orders_checked),
        (Kind.FILLS, report.fills_checked),
        (Kind.MOVEMENTS, report.movements_checked),
    )


def counts(report: ReconciliationReport) -> str:
    """Return what was checked, as one line."""
    said = [counted(count, _SINGULAR[kind], kind.value) for kind, count in checked(report) if count]
    return ", ".join(said) or "nothing"


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many}"


def since(at: datetime, age_seconds: int) -> str:
    """Return when something began that was this old at *at*, in UTC; the day only where it is another one."""
    now = at.astimezone(UTC)
    began = now - timedelta(seconds=age_seconds)
    return f"{began:%H:%M}" if began.date() == now.date() else f"{began:%Y-%m-%d %H:%M}"


def seconds(duration: float) -> str:
    """Return a duration as people read it."""
    return f"{duration:.2f} s" if duration < 60 else f"{int(duration // 60)} min {int(duration % 60)} s"
