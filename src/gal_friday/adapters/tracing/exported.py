"""Spans sent to a collector by OTLP over HTTP; where to, OpenTelemetry's own variables OTEL_EXPORTER_OTLP_… say.

A collector that does not answer costs spans and nothing else: they are sent by a thread, and at the end it is waited
for no longer than so many seconds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from gal_friday.adapters.tracing.spans import Spans

LAST_SECONDS = 5.0
"""How long the last spans may take to be sent."""


@asynccontextmanager
async def exported(version: str, *, last_seconds: float = LAST_SECONDS) -> AsyncIterator[Spans]:
    """Give steps whose spans are sent while the block runs."""
    resource = Resource.create({"service.name": "gal-friday", "service.version": version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield Spans(provider)
    finally:
        await _shut_down(provider, last_seconds)


async def _shut_down(provider: TracerProvider, seconds: float) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def shut() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # too late: the loop is closed
            loop.call_soon_threadsafe(done.set)

    # A thread of its own that keeps no process alive: those of the loop are waited for at its end.
    Thread(target=shut, name="last spans", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done.wait()
