"""The numbers that a monitor collects, for whoever may see all accounts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from gal_friday.api.documented import wrong
from gal_friday.api.guard import backend_of
from gal_friday.api.problem import Problem
from gal_friday.api.security import caller, check
from gal_friday.domain.access import Permission
from gal_friday.flows.door import Caller

router = APIRouter(tags=["health"])
Monitor = Annotated[Caller, Depends(caller(Permission.METRICS))]

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Every metric.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/metrics", response_model=None, response_class=Response, responses=_TEXT | wrong())
async def metrics(request: Request, who: Monitor) -> Response:
    """Give every metric in the text format of Prometheus; only to who may see all accounts."""
    check(who, Permission.METRICS, "")
    render = backend_of(request).metrics
    if render is None:
        raise Problem(404, "no-metrics", "No metrics", "this process counts nothing; ask the one of gal-friday serve")
    return Response(await render(), media_type=_PROMETHEUS, headers={"Cache-Control": "no-store"})
