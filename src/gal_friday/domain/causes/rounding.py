"""Small remainders of rounding, as many as there are records.

Evidence: the exchange keeps a known number of digits, and what is left is at most half a unit of the last of
them for every event that moved this asset.

Not to be confused with dust (no such bound, only a small value), or with a small row that is really missing:
those have ids and are no remainder.
"""

from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.causes.evidence import Rest, told
from gal_friday.domain.records import Kind


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where rounding each record can have left so much."""
    scale = rest.case.exchange.scales.assets.get(Asset(rest.place.name))
    if rest.place.kind is not Kind.BALANCES or scale is None:
        return None
    events = {row.refers_to or row.movement_id for row in rest.case.standing("exchange", rest.place)}
    most = quantity.multiply(quantity.half_unit(scale), Decimal(len(events)))
    if quantity.absolute(rest.residual) > most:
        return None
    records = "1 record," if len(events) == 1 else f"{len(events)} records, each"
    return f"{records} rounded to {scale} digits, can leave up to {told(most, rest.place.name)}"
