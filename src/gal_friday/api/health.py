"""Does the process answer, and could it do its work? For whatever watches it; no account is named to a stranger."""

import asyncio

from fastapi import APIRouter, Request, Response

from gal_friday.api.answers import fresh
from gal_friday.api.documented import said
from gal_friday.api.guard import backend_of
from gal_friday.api.problem import Problem
from gal_friday.api.shapes import Health, Readiness
from gal_friday.ports.errors import StoreFailed

router = APIRouter(tags=["health"])
_WITHIN_SECONDS = 5.0
"""Whoever watches gives up on a probe that is silent, and learns nothing: a database that hangs is told as gone."""


@router.get("/healthz", **said(Health))
async def healthz(request: Request) -> Response:
    """Say that the process answers; nothing else is looked at."""
    return fresh(Health(status="ok", version=backend_of(request).version))


@router.get("/readyz", **said(Readiness))
async def readyz(request: Request) -> Response:
    """Say whether the database is reachable and current, and how long ago the accounts were last run."""
    backend = backend_of(request)
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            revision = await backend.pages.check_ready()
            now = backend.clock.now()
            ages = []
            for name in backend.accounts:
                report = (await backend.pages.latest((name,))).report
                ages.append(None if report is None else max(0, int((now - report.at).total_seconds())))
    except (StoreFailed, TimeoutError):
        # The address of the database is nobody's business who is not signed in.
        raise Problem(503, "not-ready", "Not ready", "the database cannot be used; see the service's log") from None
    run = [age for age in ages if age is not None]
    ready = Readiness(
        status="ok",
        revision=revision,
        accounts=len(ages),
        never_run=len(ages) - len(run),
        oldest_run_seconds=max(run, default=None),
    )
    return fresh(ready)
