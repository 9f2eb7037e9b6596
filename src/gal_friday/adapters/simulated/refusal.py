"""What the simulated exchange says when it will not do something, in Kraken's own words.

A refusal is an answer, not a failure of the simulator: the server puts its text into the ``error`` list.
"""

from typing import Final

from gal_friday.domain.errors import GalFridayError

UNKNOWN_ASSET: Final = "EQuery:Unknown asset"
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
UNKNOWN_ORDER: Final = "EOrder:Unknown order"
UNKNOWN_POSITION: Final = "EOrder:Unknown position"
INVALID_ORDER: Final = "EOrder:Invalid order"
INVALID_PRICE: Final = "EOrder:Invalid price"
INSUFFICIENT_FUNDS: Final = "EOrder:Insufficient funds"
FUNDING_INSUFFICIENT: Final = "EFunding:Insufficient funds"
INVALID_ARGUMENTS: Final = "EGeneral:Invalid arguments"
PERMISSION_DENIED: Final = "EGeneral:Permission denied"
LOCKED_OUT: Final = "EGeneral:Temporary lockout"
INVALID_KEY: Final = "EAPI:Invalid key"
INVALID_SIGNATURE: Final = "EAPI:Invalid signature"
INVALID_NONCE: Final = "EAPI:Invalid nonce"
RATE_LIMIT: Final = "EAPI:Rate limit exceeded"
THROTTLED: Final = "EService:Throttled"
UNAVAILABLE: Final = "EService:Unavailable"
UNKNOWN_REPORT: Final = "EExport:Unknown report"
NOT_READY: Final = "EExport:Not ready"


class Refused(GalFridayError):
    """The exchange will not do that; the text is what it answers."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def invalid(argument: str) -> Refused:
    """Return the refusal of one argument of a request."""
    return Refused(f"{INVALID_ARGUMENTS}:{argument}")
