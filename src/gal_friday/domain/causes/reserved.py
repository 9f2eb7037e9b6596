"""Which order is behind a hold that differs: a question that several recognisers of orders ask.

A hold differs because an order does. It has an order behind it only where exactly one order that differs would
reserve that asset: a sale its base, a purchase its quote.
"""

from collections.abc import Mapping, Sequence

from gal_friday.domain.assets import base_and_quote
from gal_friday.domain.case import Case, once
from gal_friday.domain.causes.evidence import order_named
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import Kind, Order, OrderSide


def order_behind(finding: Finding, case: Case) -> Finding | None:
    """Return the finding about the only differing order that would reserve this asset; None without one."""
    if finding.key.kind is not Kind.HOLDS:
        return None
    found = _reserving(case).get(finding.key.name, ())
    return found[0] if len(found) == 1 else None


@once
def _reserving(case: Case) -> Mapping[str, Sequence[Finding]]:
    """Return the findings about orders that differ, by the asset that each order would reserve."""
    found: dict[str, list[Finding]] = {}
    for key, finding in case.unlike.items():
        order = order_named(case, "exchange", key) or order_named(case, "internal", key)
        asset = _reserved_by(order) if key.kind is Kind.ORDERS and order is not None else None
        if asset is not None:
            found.setdefault(asset, []).append(finding)
    return found


def _reserved_by(order: Order) -> str | None:
    assets = base_and_quote(order.instrument)
    if assets is None:
        return None
    return assets[0] if order.side is OrderSide.SELL else assets[1]
