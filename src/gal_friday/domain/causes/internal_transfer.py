"""Moved between accounts of the same owner: a sub-account, the futures wallet, custody.

Evidence: the exchange's row is a transfer whose other leg is not in one of the wallets of this account. Without
records: the futures wallet of the same asset is off by the same amount the other way.

Not to be confused with a move within the account (`earn_transfer`), a deposit or withdrawal (which crosses
the exchange's border), or with coins that the exchange dropped in and called a transfer from futures, where
nothing was ever sent there: then both are named, or `exchange_adjustment` alone.
"""

from gal_friday.domain.assets import Wallet
from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import Rest, apart, elsewhere, told
from gal_friday.domain.causes.transfers import (
    dressed_as_transfer,
    in_transit,
    legs_within,
    other_wallets,
    surely_dressed,
)


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this leg went to or came from another account."""
    twin = elsewhere(lead, case)
    if twin is not None and twin.asset == lead.place.name and Wallet.FUTURES in (twin.wallet, lead.place.part):
        return apart(lead, lead.place.part, twin.wallet)
    if lead.what != "missing" or lead.kind != "transfer" or in_transit(lead, case):
        return None
    if legs_within(lead, case) or surely_dressed(lead, case):
        return None
    way = "from" if lead.moved > 0 else "to"
    doubt = "; nothing was seen going there" if dressed_as_transfer(lead, case) else ""
    return f"{told(lead.moved, lead.place.name)} moved {way} another account of the same owner{doubt}"


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where the futures wallet lacks what this one has too much, or the reverse."""
    twins = [wallet for wallet in other_wallets(rest) if Wallet.FUTURES in (wallet, rest.place.part)]
    if len(twins) != 1:
        return None
    return f"{twins[0]} is off by the same {told(rest.residual, rest.place.name)} the other way"
