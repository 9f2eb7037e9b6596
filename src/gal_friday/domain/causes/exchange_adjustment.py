"""The exchange corrected a balance itself, or dropped coins into it.

Evidence: the exchange's row says so by its kind; or it is called a transfer from futures where nothing of that
asset was ever sent there, in a ledger that was read from its beginning. In a shorter window both are possible,
and both are named.

Not to be confused with a reward, which is earned, or with the conversion of a delisted asset.
Source: Kraken support, "Explanation of ledger fields" (adjustments can come as spotfromfutures).
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import told
from gal_friday.domain.causes.transfers import dressed_as_transfer


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the exchange changed the balance by itself."""
    if lead.what != "missing":
        return None
    if lead.kind == "exchange_adjustment":
        verb = "added" if lead.moved > 0 else "took away"
        return f"the exchange {verb} {told(lead.moved, lead.place.name)} by itself ({lead.event})"
    if not dressed_as_transfer(lead, case):
        return None
    return f"{told(lead.moved, lead.place.name)} came as if from futures, but none was ever sent there: dropped in"
