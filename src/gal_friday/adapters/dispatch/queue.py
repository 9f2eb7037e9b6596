"""Runs as jobs of a queue in PostgreSQL, carried out by workers on as many machines as there are (Procrastinate).

The queue lives in a schema of its own beside our tables. It delivers at least once: that a run happens once is seen
to by the schedule and the lease. An account has at most one job that waits and one that is worked on. The jobs of a
worker that is gone, or that stands still, are ended here, so that the account's next job is not held up by them;
whether the account is due again is decided by the schedule.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import procrastinate
import psycopg
from procrastinate import exceptions
from procrastinate.jobs import Status
from sqlalchemy import make_url

from gal_friday.adapters.sql.engine import IDLE_SECONDS
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.steps import Steps, unwatched

_LOG = logging.getLogger("gal_friday.service")

SCHEMA = "gal_friday_queue"
_TURN = "gal_friday.turn"
_QUEUE = "turns"
_LOCK = 7_331_942_210  # Any number, the same in every process: who makes the tables of the queue holds it.
_ASKED_AGAIN_SECONDS = 10.0
"""A job that waits is not put into the queue again in every tick."""
_BEATS = 4
"""So many heartbeats of a worker have to be missing before it is taken for gone."""
_KEPT_HOURS = 24 * 7
"""How long jobs that broke off can be looked at."""
_POLL_SECONDS = 1.0
_JOBS = 4  # Connections that a process holds to the queue.

Take = Callable[[str, str], Awaitable[object]]
"""Gives an account its turn, below the step that handed it over; the step is empty where nobody watches."""


class QueueDispatcher:
    """A ``Dispatcher`` that puts accounts into the queue. Get it from ``opened``."""

    def __init__(self, app: procrastinate.App, clock: Clock, *, steps: Steps = unwatched) -> None:
        """Put jobs into the queue of *app*, which is open."""
        self._app, self._clock, self._steps = app, clock, steps
        self._asked: dict[str, float] = {}

    async def dispatch(self, account: str) -> bool:
        """Put the account into the queue, unless it waits there; see ``Dispatcher``."""
        now = self._clock.monotonic()
        if now - self._asked.get(account, -_ASKED_AGAIN_SECONDS) < _ASKED_AGAIN_SECONDS:
            return True
        job = self._app.configure_task(_TURN, queue=_QUEUE, lock=account, queueing_lock=account)
        try:
            with self._steps("dispatch", account=account) as step:
                carried = step.context()
                await job.defer_async(account=account, **({"traceparent": carried} if carried else {}))
        except exceptions.AlreadyEnqueued:
            pass
        except (exceptions.ConnectorException, psycopg.Error) as error:
            raise _failed(error) from error
        self._asked[account] = now
        return True

    async def drain(self, seconds: float) -> Sequence[str]:
        """Return nothing: whoever works on the jobs goes on without this process."""
        del seconds
        return ()


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[procrastinate.App]:
    """Give the queue of this database, with its tables made where there were none.

    Raises:
        StoreFailed: it is no PostgreSQL, cannot be reached, or its user may not make a schema.
    """
    url = make_url(address)
    if url.get_backend_name() != "postgresql":
        raise StoreFailed('a fleet needs PostgreSQL: SQLite has no queue; set database.url, or dispatcher = "tasks"')
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    # Whoever stands still in the middle of a transaction holds up everybody else; the server ends it.
    options = f"-c search_path={SCHEMA} -c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=conninfo, kwargs={"options": options}, max_size=_JOBS)
    )
    try:
        await _with_tables(conninfo)
        await app.open_async()
    except (exceptions.ConnectorException, psycopg.Error, OSError) as error:
        raise _failed(error) from None  # none of the cause: it may quote the address
    try:
        yield app
    finally:
        await app.close_async()


async def work(
    app: procrastinate.App, take: Take, clock: Clock, *, at_once: int, gone_seconds: float, drain_seconds: float
) -> None:
    """Carry out jobs, so many at once, until cancelled; those under way may then end, for *drain_seconds*.

    A worker without a heartbeat for *gone_seconds* is taken for gone.
    """

    async def turn(account: str, traceparent: str = "") -> None:
        try:
            await take(account, traceparent)
        except StoreFailed as failure:
            _LOG.error("the turn of account %s was not written down: %s", account, failure)

    app.task(name=_TURN, queue=_QUEUE)(turn)
    healing = asyncio.create_task(_healed(app, clock, gone_seconds), name="stalled jobs")
    try:
        await app.run_worker_async(
            queues=[_QUEUE],
            concurrency=at_once,
            fetch_job_polling_interval=_POLL_SECONDS,
            install_signal_handlers=False,
            shutdown_graceful_timeout=drain_seconds,
            delete_jobs="successful",
            update_heartbeat_interval=gone_seconds / _BEATS,
            stalled_worker_timeout=gone_seconds,
        )
    finally:
        healing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await healing


async def _healed(app: procrastinate.App, clock: Clock, gone_seconds: float) -> None:
    """End the jobs of workers that are gone, again and again."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=gone_seconds):
                _LOG.warning("the worker of account %s is gone or stands still; its job is ended", job.lock)
                await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
            await app.job_manager.delete_old_jobs(nb_hours=_KEPT_HOURS, queue=_QUEUE, include_failed=True)
        except (exceptions.ProcrastinateException, psycopg.Error) as error:
            _LOG.error("stalled jobs cannot be looked for: %s", error)
        await clock.sleep(gone_seconds / _BEATS)


async def _with_tables(conninfo: str) -> None:
    """Make the queue's schema and tables where there are none; one process at a time."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
        try:
            found = await connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",))
            if (await found.fetchone() or (None,))[0] is not None:
                return
            async with connection.transaction():
                await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                await connection.execute(f"SET LOCAL search_path TO {SCHEMA}")
                # Percent signs are the driver's; here there are no parameters.
                await connection.execute(_tables().encode())
        finally:
            await connection.execute(f"SELECT pg_advisory_unlock({_LOCK})")


def _tables() -> str:
    return procrastinate.schema.SchemaManager.get_schema()


def _failed(error: Exception) -> StoreFailed:
    return StoreFailed(
        f"the queue of the fleet cannot be used ({type(error).__name__}); check the database and its user"
    )
