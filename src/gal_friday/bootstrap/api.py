"""The API put together from the settings and the open database."""

import gc
from collections.abc import Mapping
from importlib.metadata import version
from socket import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from gal_friday.api.app import create_app
from gal_friday.api.backend import AccountInfo, Backend, Limits
from gal_friday.bootstrap.access import reception_of
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.desk import desk_of, repairs_of
from gal_friday.bootstrap.service import ReconciliationService, owner
from gal_friday.bootstrap.settings import EmbeddedBook, Settings
from gal_friday.bootstrap.wire import mode_of
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport
from gal_friday.ports.access import Access, Throttle
from gal_friday.ports.schedules import Schedules

GRACE_SECONDS = 5
"""How long calls that are under way may take when the service stops."""


def backend_of(
    service: ReconciliationService, *, schedules: Schedules | None = None, limits: Limits | None = None
) -> Backend:
    """Return what the API stands on, over a service that was started."""
    settings, opened = service.settings, service.opened
    policy = settings.reconciliation.policy()

    async def run(account: str, mode: Mode | None) -> ReconciliationReport:
        return await service.run_reconciliation(account, mode=mode)

    return Backend(
        version=version("gal-friday"),
        clock=system_clock(),
        accounts=accounts_of(settings),
        aliases=settings.aliases.table(),
        policy=policy,
        pages=opened.pages,
        desk=desk_of(opened),
        repairs=repairs_of(opened, settings, owner=owner()),
        journal=opened.journal_reading,
        book=opened.book,
        answers=opened.answers,
        run=run,
        schedules=schedules,
        limits=limits or Limits(),
    )


def app_of(
    service: ReconciliationService,
    access: Access | None = None,
    *,
    schedules: Schedules | None = None,
    limits: Limits | None = None,
    throttle: Throttle | None = None,
) -> FastAPI:
    """Return the API over a service that was started: people sign in, and programs show their tokens.

    *access* keeps who is known, *throttle* counts attempts; the open database and memory where they are left out.
    """
    reception = reception_of(service.settings, access or service.opened.access, throttle)
    return create_app(backend_of(service, schedules=schedules, limits=limits), reception.door, reception)


def accounts_of(settings: Settings) -> Mapping[str, AccountInfo]:
    """Return the configured accounts as the API shows them."""
    return {
        name: AccountInfo(
            name=name,
            exchange=configured.exchange,
            mode=mode_of(settings, name),
            book="embedded" if isinstance(configured.book, EmbeddedBook) else "file",
        )
        for name, configured in settings.accounts.items()
    }


class ApiServer(uvicorn.Server):
    """Uvicorn that ends event streams before it waits for connections to close: they would never end by themselves."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to answer. What was loaded until now stays, and is not looked through for garbage again and again."""
        gc.collect()
        gc.freeze()  # Measured: looking through it all keeps every caller waiting for 85 ms.
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop answering."""
        await super().shutdown(sockets)
        gc.unfreeze()

    def stop(self) -> None:
        """Begin to stop."""
        self.should_exit = True
        self.config.app.state.streams.close()  # type: ignore[union-attr]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, on a signal."""
        self.stop()
        super().handle_exit(sig, frame)


def serving(app: FastAPI, *, host: str, port: int) -> ApiServer:
    """Return a server for the API, ready to be awaited with ``serve``."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who is believed is a setting of ours, and uvicorn believes this machine
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
    return ApiServer(config)
