"""Moved between spot and an earning, bonded or held wallet of the same owner: nothing was gained or lost.

Evidence: the exchange's row says so by its kind, or its event has a leg in each of two such wallets; or both
sides have the record and place it in two of them. Without records: another wallet of the same asset is off by
the same amount the other way, and both sides list the asset.

Not to be confused with income (`reward`), with a move to another account (`internal_transfer`), or with a leg
so young that the other is still on its way (`in_flight`).
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import Rest, apart, elsewhere, told
from gal_friday.domain.causes.transfers import OWN, in_transit, legs_within, other_wallets

_KINDS = ("earn_transfer", "transfer")


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this leg went from one of the owner's wallets to another."""
    twin = elsewhere(lead, case)
    if twin is not None and twin.asset == lead.place.name and {twin.wallet, lead.place.part} <= OWN:
        return apart(lead, lead.place.part, twin.wallet)
    if lead.what != "missing" or lead.kind not in _KINDS:
        return None
    legs = legs_within(lead, case)
    if in_transit(lead, case) or (lead.kind == "transfer" and not legs):
        return None
    to = f" {'from' if lead.moved > 0 else 'to'} {legs[0].wallet}" if legs else ""
    return f"{told(lead.moved, lead.place.name)} moved{to} within the account, and the book did not move it"


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where another own wallet lacks what this one has too much."""
    twins = [wallet for wallet in other_wallets(rest) if {wallet, rest.place.part} <= OWN]
    if len(twins) != 1:
        return None
    return f"{twins[0]} is off by the same {told(rest.residual, rest.place.name)} the other way: one asset, two wallets"
