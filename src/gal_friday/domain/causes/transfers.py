"""What several recognisers ask about money that moves between wallets and accounts of one owner."""

from gal_friday.domain import quantity
from gal_friday.domain.assets import Wallet
from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.evidence import TRANSFER_TIME, Rest, age, rows_of
from gal_friday.domain.records import Kind, Movement

OWN = frozenset({Wallet.SPOT, Wallet.EARN, Wallet.BONDED, Wallet.HELD})
"""The wallets of one account; what leaves them for the futures wallet leaves the account."""


def in_transit(lead: Lead, case: Case) -> bool:
    """Say whether one leg of a move within the account stands alone, young enough for the other to come."""
    if lead.kind not in ("transfer", "earn_transfer") or age(lead.at, case) > TRANSFER_TIME:
        return False
    rows = rows_of(case, "exchange", lead)
    # A transfer out of the account never shows its other leg here.
    within = lead.kind == "earn_transfer" or any(row.wallet != Wallet.SPOT for row in rows)
    return within and len({row.wallet for row in rows}) == 1


def legs_within(lead: Lead, case: Case) -> list[Movement]:
    """Return the opposite legs of the lead's event in other wallets of the same account."""
    if lead.place.part not in OWN:
        return []
    own = [row for row in rows_of(case, "exchange", lead) if row.wallet in OWN and row.wallet != lead.place.part]
    return [row for row in own if (row.amount > 0) != (lead.moved > 0)]


def dressed_as_transfer(lead: Lead, case: Case) -> bool:
    """Say whether this came from futures although nothing of the asset was seen going there."""
    if not any(_subtype(row) == "spotfromfutures" for row in lead.rows):
        return False
    return lead.place.name not in _sent_to_futures(case)


@once
def _sent_to_futures(case: Case) -> frozenset[str]:
    """Return the assets of which something was seen going to futures."""
    return frozenset(row.asset for row in case.exchange.movements if _subtype(row) == "spottofutures")


def surely_dressed(lead: Lead, case: Case) -> bool:
    """Say whether the ledger was seen from its beginning, so that nothing can have gone there earlier."""
    return dressed_as_transfer(lead, case) and case.exchange.since.movements is None


def _subtype(row: Movement) -> str:
    return str((row.extra or {}).get("subtype", ""))


def other_wallets(rest: Rest) -> list[str]:
    """Return the wallets of the same asset that are off by the same amount the other way."""
    if rest.place.kind is not Kind.BALANCES:
        return []
    others = [place for place in rest.case.wallets.get(rest.place.name, ()) if place != rest.place]
    return [place.part for place in others if rest.case.difference_at(place) == quantity.negate(rest.residual)]
