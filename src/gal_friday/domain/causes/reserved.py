"""Which order is behind a hold that differs: a question that several recognisers of orders ask.

A hold differs because an order does. It has an order behind it only where exactly one order that differs would
reserve that asset: a sale its base, a purchase its quote.
"""

from gal_friday.domain.assets import base_and_quote
from gal_friday.domain.case import Case
from gal_friday.domain.causes.evidence import order_named
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import Kind, Order, OrderSide


def order_behind(finding: Finding, case: Case) -> Finding | None:
    """Return the finding about the only differing order that would reserve this asset; None without one."""
    if finding.key.kind is not Kind.HOLDS:
        return None
    found = [other for other in case.unlike.values() if _reserves(other, finding.key.name, case)]
    return found[0] if len(found) == 1 else None


def _reserves(finding: Finding, asset: str, case: Case) -> bool:
    if finding.key.kind is not Kind.ORDERS:
        return False
    order = order_named(case, "exchange", finding.key) or order_named(case, "internal", finding.key)
    return order is not None and _reserved_by(order) == asset


def _reserved_by(order: Order) -> str | None:
    assets = base_and_quote(order.instrument)
    if assets is None:
        return None
    return assets[0] if order.side is OrderSide.SELL else assets[1]
