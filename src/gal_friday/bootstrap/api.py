"""The API put together from the settings and the open database."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import version
from socket import AF_INET, AF_INET6, create_server, socket

import uvicorn
from fastapi import FastAPI, Request

from gal_friday.api.app import create_app, create_watched
from gal_friday.api.backend import Backend, Limits
from gal_friday.api.browser import session_of
from gal_friday.bootstrap.access import reception_of
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.connections import Bounded
from gal_friday.bootstrap.desk import desk_of, repairs_of
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.journal import script
from gal_friday.bootstrap.other_limits import other_policy
from gal_friday.bootstrap.preflight import Preflights
from gal_friday.bootstrap.recording import replay_apart
from gal_friday.bootstrap.service import ReconciliationService, owner
from gal_friday.bootstrap.settings import ApiSettings, EmbeddedBook, Settings
from gal_friday.bootstrap.vitals import live_of
from gal_friday.bootstrap.wire import mode_of
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.door import Caller, Door, NotAdmitted, by_session
from gal_friday.flows.standing import AccountInfo
from gal_friday.flows.vitals import Live, LiveOf
from gal_friday.ports.access import Access, Throttle
from gal_friday.ports.history import History
from gal_friday.ports.recordings import Recordings
from gal_friday.ports.schedules import Schedules
from gal_friday.web import House, add_pages

_BACKLOG = 512  # Calls that may wait to be accepted.
GRACE_SECONDS = 5
"""How long calls that are under way may take when the service stops."""


Run = Callable[[str, Mode | None], Awaitable[ReconciliationReport]]
"""Reconciles an account now, in this mode or as configured."""
Render = Callable[[], Awaitable[bytes]]
"""Gives what a monitor collects."""


def backend_of(
    service: ReconciliationService,
    *,
    schedules: Schedules | None = None,
    limits: Limits | None = None,
    run: Run | None = None,
    metrics: Render | None = None,
    live: LiveOf | None = None,
    preflights: Preflights | None = None,
) -> Backend:
    """Return what the API stands on, over a service that was started; *run* takes the place of its own runs."""
    settings, opened = service.settings, service.opened
    policy = settings.reconciliation.policy()

    looks = preflights or Preflights(settings, opened)

    def live_here(account: str) -> Live:
        return live_of(settings, account, key=looks.last(account))

    async def run_here(account: str, mode: Mode | None) -> ReconciliationReport:
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
        run=run or run_here,
        replay=partial(replay_apart, settings),
        otherwise=partial(other_policy, settings),
        live=live or live_here,
        look=looks.look,
        schedules=schedules,
        metrics=metrics,
        steps=service.steps,
        limits=limits or Limits(),
    )


def app_of(
    service: ReconciliationService,
    access: Access | None = None,
    *,
    schedules: Schedules | None = None,
    limits: Limits | None = None,
    throttle: Throttle | None = None,
    run: Run | None = None,
    metrics: Render | None = None,
    live: LiveOf | None = None,
    preflights: Preflights | None = None,
) -> FastAPI:
    """Return the API over a service that was started: people sign in, and programs show their tokens.

    *access* keeps who is known, *throttle* counts attempts; the open database and memory where they are left out.
    """
    reception = reception_of(service.settings, access or service.opened.access, throttle)
    backend = backend_of(
        service, schedules=schedules, limits=limits, run=run, metrics=metrics, live=live, preflights=preflights
    )
    app = create_app(backend, reception.door, reception)
    add_pages(app, _house_of(backend, reception.door, service.opened.recordings, service.opened.history))
    return app


def _house_of(backend: Backend, door: Door, recordings: Recordings, history: History) -> House:
    """Return what the pages stand on: what the API does, and the same session."""

    async def known(request: Request) -> Caller | None:
        try:
            secret = session_of(request)
            return None if secret is None else await by_session(door, secret)
        except NotAdmitted:
            return None

    return House(
        version=backend.version,
        known=known,
        clock=backend.clock,
        accounts=backend.accounts,
        policy=backend.policy,
        pages=backend.pages,
        desk=backend.desk,
        repairs=backend.repairs,
        journal=backend.journal,
        schedules=backend.schedules,
        verifier=script,
        recorded=recordings.about,
        live=backend.live,
        history=history,
        people=door.access.users,
        otherwise=backend.otherwise,
    )


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
        for one in (self.config.app.state.streams, self.config.app.state.verifying):  # type: ignore[union-attr]
            one.close()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone: whoever serves hears them, and ends runs before answers."""
        yield


def serving(
    app: FastAPI, *, host: str, port: int, tls_cert: str | None = None, tls_key: str | None = None
) -> ApiServer:
    """Return a server for the API, ready to be awaited with ``serve``."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Bounded,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who is believed is a setting of ours, and uvicorn believes this machine
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
    return ApiServer(config)


@asynccontextmanager
async def answering(
    service: ReconciliationService,
    *,
    schedules: Schedules,
    run: Run,
    metrics: Render | None = None,
    live: LiveOf | None = None,
    preflights: Preflights | None = None,
) -> AsyncIterator[tuple[asyncio.Task[None], str]]:
    """Answer calls where the settings say, for as long as the block runs; give its task and its address.

    Raises:
        BadConfiguration: the address is taken or not of this machine, or certificate and key cannot be used.
    """
    api = service.settings.api
    bound = _bound(api.host, api.port, "api.port")
    app = app_of(service, schedules=schedules, run=run, metrics=metrics, live=live, preflights=preflights)
    async with _answered(app, api, bound) as running:
        yield running


@asynccontextmanager
async def watched(
    service: ReconciliationService, port: int, metrics: Render
) -> AsyncIterator[tuple[asyncio.Task[None], str]]:
    """Say how this process is at *port* of the API's address, and give its metrics there; under the API's rules.

    Raises:
        BadConfiguration: as ``answering``.
    """
    api, reception = service.settings.api, reception_of(service.settings, service.opened.access)
    bound = _bound(api.host, port, "service.metrics_port")
    app = create_watched(backend_of(service, metrics=metrics), reception.door, reception)
    async with _answered(app, api, bound) as running:
        yield running


@asynccontextmanager
async def _answered(app: FastAPI, api: ApiSettings, bound: socket) -> AsyncIterator[tuple[asyncio.Task[None], str]]:
    scheme = "http" if api.tls_cert is None else "https"
    host = f"[{api.host}]" if ":" in api.host else api.host
    try:
        server = serving(app, host=api.host, port=api.port, tls_cert=api.tls_cert, tls_key=api.tls_key)
        server.config.load()
    except (OSError, ValueError) as error:
        bound.close()
        raise BadConfiguration(f"api.tls_cert and api.tls_key cannot be used: {error}") from None
    task = asyncio.create_task(server.serve([bound]), name="api")
    try:
        yield task, f"{scheme}://{host}:{bound.getsockname()[1]}"
    finally:
        server.stop()
        await task


def _bound(host: str, port: int, setting: str) -> socket:
    """Return the socket that calls come in at; bound before anything begins, so that a taken port is told at once."""
    family = AF_INET6 if ":" in host else AF_INET
    try:
        return create_server((host.strip("[]"), port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise BadConfiguration(
            f"api.host and {setting}: {host}:{port} cannot be listened on ({error.strerror}); "
            "another program may have it: choose another port, or 0 for a free one"
        ) from None
