"""The API as one application, over a backend that is handed in. It opens nothing and knows no adapter.

Every route but those of ``OPEN`` asks who calls and what they may; a test holds the whole table of routes to that.
"""

import asyncio

from fastapi import APIRouter, Depends, FastAPI

from gal_friday.api import (
    accounts,
    adjustments,
    book,
    discrepancies,
    events,
    gate,
    health,
    journal,
    limits,
    metrics,
    reconciliation,
    reports,
)
from gal_friday.api.backend import Backend
from gal_friday.api.bounds import Bounded
from gal_friday.api.documented import describe
from gal_friday.api.events import Streams
from gal_friday.api.failures import answer_failures
from gal_friday.api.guard import only_known
from gal_friday.api.patience import Patient
from gal_friday.api.reception import Reception
from gal_friday.api.security import secure
from gal_friday.api.stepped import Stepped
from gal_friday.api.verifying import Verifying
from gal_friday.flows.door import Door

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""What anybody may ask who reaches the address: nothing of it is about an account."""

_ROUTERS = (
    gate.router,  # First: programs ask it before every order, and routes are tried in this order.
    reconciliation.router,
    accounts.router,
    reports.router,
    discrepancies.router,
    adjustments.router,
    journal.router,
    limits.router,
    book.router,
    events.router,
    health.router,
    metrics.router,
)
_WATCHED = (health.router, metrics.router)


def create_app(backend: Backend, door: Door, reception: Reception | None = None) -> FastAPI:
    """Return the application. Before it is stopped, ``close()`` of its state's ``streams`` and ``verifying`` ends both.

    With *reception* people sign in, and every call goes through the shield; without it programs alone show tokens.
    """
    return _made(backend, door, reception, _ROUTERS)


def create_watched(backend: Backend, door: Door, reception: Reception) -> FastAPI:
    """Return an application that says how a process is, and its metrics to who may see them, and nothing else."""
    return _made(backend, door, reception, _WATCHED, people=False)


def _made(
    backend: Backend, door: Door, reception: Reception | None, routers: tuple[APIRouter, ...], *, people: bool = True
) -> FastAPI:
    app = FastAPI(
        title="Gal-Friday",
        version=backend.version,
        summary="Keeps a crypto trading system's books true.",
        description="Amounts are strings of digits. Errors are problem+json. Every POST takes an Idempotency-Key.",
        docs_url=None,  # Its page loads scripts from elsewhere.
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend, app.state.streams = backend, Streams(backend.limits)
    app.state.verifying, app.state.replaying = Verifying(), asyncio.Lock()
    for router in routers:
        app.include_router(router, dependencies=[Depends(only_known)])
    answer_failures(app)
    app.add_middleware(Patient, seconds=backend.limits.question_seconds)
    app.add_middleware(Bounded, body_bytes=backend.limits.body_bytes)
    app.add_middleware(Stepped, steps=backend.steps)
    secure(app, door, reception, people=people)  # last: what comes last stands first
    describe(app)
    return app
