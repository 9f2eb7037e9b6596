"""The same holding under an old name on one side and a new one on the other.

Evidence: both sides have the record with the same amount under two names; or, without records, the book alone
has one asset and the exchange alone has exactly as much of another, in the same wallet. Then the amount must
carry five digits or more, and only one pair may fit: round amounts prove nothing.

Not to be confused with a conversion, which has rows of its own, or with two assets that happen to be held in
the same round size.
"""

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, Place
from gal_friday.domain.causes.evidence import Rest, difference_at, other_version, significant, told
from gal_friday.domain.finding import ExchangeOnly, InternalOnly
from gal_friday.domain.records import Kind

_DIGITS = 5


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the other side has this very record under another name."""
    twin = other_version(lead, case)
    if twin is None or twin.asset == lead.place.name or twin.wallet != lead.place.part:
        return None
    return f"{lead.event} is in {lead.place.name} on one side and in {twin.asset} on the other"


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where the exchange holds under one name what the book holds under another."""
    case, place = rest.case, rest.place
    whole = rest.residual == difference_at(case, place)
    if place.kind is not Kind.BALANCES or not whole or significant(rest.residual) < _DIGITS:
        return None
    old, new = (_lone(case, place, side, rest) for side in (InternalOnly, ExchangeOnly))
    if len(old) != 1 or len(new) != 1 or place not in (*old, *new):
        return None
    return f"the book has {told(rest.residual, old[0].name)}, the exchange exactly as much {new[0].name}"


def _lone(case: Case, place: Place, side: type[InternalOnly] | type[ExchangeOnly], rest: Rest) -> list[Place]:
    """Return the places in this wallet that only one side lists, with this amount and no row of their own."""
    places = [Place(key.kind, key.name, key.part) for key, found in case.unlike.items() if isinstance(found, side)]
    moved = {(row.asset, row.wallet) for row in case.exchange.movements}
    return [
        other
        for other in places
        if (other.kind, other.part) == (place.kind, place.part)
        and quantity.absolute(difference_at(case, other)) == quantity.absolute(rest.residual)
        and (other.name, other.part) not in moved
    ]
