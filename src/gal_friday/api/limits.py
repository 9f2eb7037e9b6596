"""What is decided by, and what it is worth: the policy in effect, and the prices of the last runs."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec import Struct

from gal_friday.api.answers import encoded, fresh, tagged
from gal_friday.api.documented import said
from gal_friday.api.guard import Account, backend_of, seen_by
from gal_friday.api.problem import Problem
from gal_friday.api.security import caller
from gal_friday.api.shapes import AccountPrices, PolicyShown, PricesShown
from gal_friday.domain.access import Permission
from gal_friday.domain.policy import Mode
from gal_friday.domain.price import PriceSource
from gal_friday.flows.door import Caller
from gal_friday.flows.redecide import DAYS_MAX, Answer, UnusableLimits, redecide

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


@router.get("/policy/check", **said(Answer))
async def check(
    request: Request,
    who: Reader,
    account: Account = None,
    days: Annotated[int, Query(ge=1, le=DAYS_MAX, description="How many days back.")] = 30,
    mode: Annotated[Mode | None, Query(description="Decide as in this mode; without it as each run did.")] = None,
    changed: Annotated[
        list[str] | None, Query(alias="set", max_length=50, description="Another limit: `proven_max_value=500`.")
    ] = None,
) -> Response:
    """Say what recorded runs would have decided under other limits; nothing is changed and nothing is posted."""
    backend, seen = backend_of(request), seen_by(who, account)
    try:
        policy = backend.otherwise(changed or ())
    except UnusableLimits as error:
        raise Problem(422, "bad-parameter", "A parameter is not what it has to be", f"set: {error}") from None
    answer = await redecide(backend.pages, backend.clock, policy, accounts=seen, days=days, mode=mode)
    return fresh(answer)


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
