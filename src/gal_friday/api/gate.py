"""May I trade? Asked by trading systems before they act, and answered with yes or no and every reason."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from gal_friday.api.answers import fresh
from gal_friday.api.documented import said
from gal_friday.api.guard import backend_of, meant
from gal_friday.api.security import caller
from gal_friday.domain.access import Permission
from gal_friday.domain.assets import Instrument
from gal_friday.domain.gate import Gate
from gal_friday.flows.door import Caller
from gal_friday.flows.gate import may_trade

router = APIRouter(prefix="/api/gate", tags=["gate"])
_OLDEST = 7 * 24 * 3600


@router.get("/{account}/{instrument:path}", **said(Gate))
async def gate(
    request: Request,
    who: Annotated[Caller, Depends(caller(Permission.READ))],
    account: str,
    instrument: str,
    max_age: Annotated[
        int | None,
        Query(ge=1, le=_OLDEST, description="Seconds that the last good check may be old; less than is configured."),
    ] = None,
    first: Annotated[bool, Query(description="The instrument's assets are new to the account.")] = False,
) -> Response:
    """Answer whether trading may go on in this instrument (BASE/QUOTE); no is an answer, and no error."""
    backend = backend_of(request)
    info = meant(backend, who, Permission.READ, account)
    asked = timedelta(seconds=max_age) if max_age is not None else backend.limits.gate_max_age
    answer = await may_trade(
        backend.pages,
        backend.desk,
        backend.policy,
        info.name,
        backend.aliases.instruments.get(instrument, Instrument(instrument)),
        max_age=min(asked, backend.limits.gate_max_age),
        first=first,
    )
    return fresh(answer)
