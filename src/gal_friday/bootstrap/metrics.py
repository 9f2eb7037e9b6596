"""The metrics of a running service: what its turns and calls count, and the state of things when a monitor asks."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from gal_friday.adapters.metrics import Metrics, Standing, Waiting
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.domain.schedule import Timing
from gal_friday.flows.review import queue

Timings = Callable[[], Mapping[str, Timing]]
Streams = Callable[[], dict[str, bool]]


def rendered(metrics: Metrics, opened: OpenStore, timings: Timings, streams: Streams) -> Callable[[], Awaitable[bytes]]:
    """Return what gives all metrics as text, with the state of things read then."""

    async def text() -> bytes:
        return metrics.text(await standing_of(opened, timings(), streams()))

    return text


async def standing_of(opened: OpenStore, timings: Mapping[str, Timing], streams: dict[str, bool]) -> Standing:
    """Return the state of things.

    Raises:
        StoreFailed: the database cannot be read.
    """
    waiting, overdue = Counter[str](), Counter[str]()
    for one in await queue(desk_of(opened)):
        waiting[one.followed.severity.value] += 1
        overdue[one.followed.severity.value] += one.overdue is not None
    head = await opened.journal_reading.head()
    return Standing(
        at=system_clock().now(),
        planned=await opened.schedules.all(),
        intervals={name: timing.interval.total_seconds() for name, timing in timings.items()},
        open=await opened.store.open_counts(),
        oldest=await opened.store.oldest(),
        queue=[Waiting(severity, count, overdue[severity]) for severity, count in waiting.items()],
        journal_head=None if head is None else datetime.fromisoformat(head.head.at),
        outbox=await opened.alerts.outbox_counts(),
        streams=streams,
    )
