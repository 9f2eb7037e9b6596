"""Who watches the steps of a service or a worker: nobody, or a collector of traces."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from gal_friday.bootstrap.errors import extra
from gal_friday.bootstrap.settings import Settings
from gal_friday.domain.alert import Notice
from gal_friday.ports.alerts import Channel
from gal_friday.ports.steps import Steps, unwatched


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Steps]:
    """Give what begins steps, as the settings want them watched.

    Raises:
        BadConfiguration: traces are wanted, and the extra is not installed.
    """
    if not settings.service.traces:
        yield unwatched
        return
    with extra("otel", "service.traces"):
        from gal_friday.adapters.tracing.exported import exported
    async with exported(version("gal-friday")) as steps:
        yield steps


def stepping(channels: Sequence[Channel], steps: Steps) -> tuple[Channel, ...]:
    """Return the channels, with each delivery a step."""
    return tuple(_Stepping(one, steps) for one in channels)


class _Stepping:
    def __init__(self, channel: Channel, steps: Steps) -> None:
        self.name = channel.name
        self._channel, self._steps = channel, steps

    async def send(self, notice: Notice) -> None:
        with self._steps("deliver", channel=self.name, account=notice.account, alert=notice.alert_id):
            await self._channel.send(notice)

    async def close(self) -> None:
        await self._channel.close()
