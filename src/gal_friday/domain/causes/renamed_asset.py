"""The same holding under an old name on one side and a new one on the other.

Evidence: both sides have the record with the same amount under two names; or, without records, the book alone
has one asset and the exchange alone has exactly as much of another, in the same wallet. Then the amount must
carry five digits or more, and only one pair may fit: round amounts prove nothing.

Not to be confused with a conversion, which has rows of its own, or with two assets that happen to be held in
the same round size.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, Place, once
from gal_friday.domain.causes.evidence import Rest, apart, elsewhere, significant, told
from gal_friday.domain.finding import Differs, ExchangeOnly, Finding, InternalOnly, Key
from gal_friday.domain.records import Kind

_DIGITS = 5


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the other side has this very record under another name."""
    twin = elsewhere(lead, case)
    if twin is None or twin.asset == lead.place.name or twin.wallet != lead.place.part:
        return None
    return apart(lead, lead.place.name, twin.asset)


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where the exchange holds under one name what the book holds under another."""
    case, place = rest.case, rest.place
    whole = rest.residual == case.difference_at(place)
    if place.kind is not Kind.BALANCES or not whole or significant(rest.residual) < _DIGITS:
        return None
    size = quantity.total(case.amounts[place])
    old, new = (_lone(case).get((side, place.part, size), ()) for side in (InternalOnly, ExchangeOnly))
    if len(old) != 1 or len(new) != 1 or place not in (*old, *new):
        return None
    return f"the book has {told(rest.residual, old[0].name)}, the exchange exactly as much {new[0].name}"


@once
def _lone(case: Case) -> Mapping[tuple[type[Finding], str, Decimal], Sequence[Place]]:
    """Return the balances that only one side lists and of which no row was seen, by side, wallet and size."""
    moved = {(row.asset, row.wallet) for row in case.exchange.movements}
    found: dict[tuple[type[Finding], str, Decimal], list[Place]] = {}
    for place, amounts in case.amounts.items():
        side = type(case.unlike[Key(*place)])
        if side is not Differs and place.kind is Kind.BALANCES and (place.name, place.part) not in moved:
            found.setdefault((side, place.part, quantity.total(amounts)), []).append(place)
    return found
