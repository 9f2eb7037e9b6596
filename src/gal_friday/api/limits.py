"""What is decided by, and what it is worth: the policy in effect, and the prices of the last runs."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from msgspec import Struct

from gal_friday.api.answers import encoded, tagged
from gal_friday.api.documented import said
from gal_friday.api.guard import Account, backend_of, seen_by
from gal_friday.api.security import caller
from gal_friday.api.shapes import AccountPrices, PolicyShown, PricesShown
from gal_friday.domain.access import Permission
from gal_friday.domain.price import PriceSource
from gal_friday.flows.door import Caller

router = APIRouter(prefix="/api", tags=["policy"])
Reader = Annotated[Caller, Depends(caller(Permission.READ))]


class _Valued(Struct):
    """What a report says of prices."""

    valued_in: str
    timestamp: datetime
    prices: dict[str, Decimal] = {}
    price_sources: dict[str, PriceSource] = {}


@router.get("/policy", **said(PolicyShown))
async def policy(request: Request, who: Reader) -> Response:
    """Show every limit in effect; they are changed in the configuration."""
    in_effect = backend_of(request).policy
    return tagged(request, encoded(PolicyShown(version=in_effect.version, policy=in_effect)))


@router.get("/prices", **said(PricesShown))
async def prices(request: Request, who: Reader, account: Account = None) -> Response:
    """Show what the last run of each account valued differences with, who said so, and when that was so."""
    backend, seen = backend_of(request), seen_by(who, account)
    names = [name for name in sorted(backend.accounts) if seen is None or name in seen]
    found = []
    for name in names:
        report = (await backend.pages.latest((name,))).report
        if report is not None:
            valued = msgspec.json.decode(report.summary, type=_Valued)
            found.append(
                AccountPrices(
                    account=name,
                    reconciliation_id=report.reconciliation_id,
                    at=valued.timestamp,
                    valued_in=valued.valued_in,
                    prices=valued.prices,
                    price_sources=valued.price_sources,
                )
            )
    return tagged(request, encoded(PricesShown(prices=tuple(found), count=len(found))))
