"""Steps as spans. Of an error only its class is told: a message may quote what must not leave this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, Status, StatusCode, TracerProvider, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

from gal_friday.ports.steps import About, Step

_CARRIED = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


class Spans:
    """``Steps`` that become spans of a provider; what is logged meanwhile bears the ids of trace and span."""

    def __init__(self, provider: TracerProvider) -> None:
        """Make spans with *provider*; whoever made it shuts it down."""
        self._tracer = provider.get_tracer("gal_friday")

    @contextmanager
    def __call__(self, name: str, *, of: str = "", **about: About) -> Iterator[Step]:
        """Begin a span; see ``Steps``."""
        above = _PROPAGATOR.extract({_CARRIED: of}) if of else None
        with self._tracer.start_as_current_span(
            name, context=above, attributes=about, record_exception=False, set_status_on_exception=False
        ) as span:
            ids = span.get_span_context()
            with bound_contextvars(trace_id=format_trace_id(ids.trace_id), span_id=format_span_id(ids.span_id)):
                try:
                    yield _Taken(span)
                except BaseException as error:
                    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                    raise


class _Taken:
    def __init__(self, span: Span) -> None:
        self._span = span

    def note(self, **about: About) -> None:
        self._span.set_attributes(about)

    def context(self) -> str:
        carried: dict[str, str] = {}
        _PROPAGATOR.inject(carried)
        return carried.get(_CARRIED, "")
