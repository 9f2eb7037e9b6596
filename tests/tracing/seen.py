"""Spans kept in memory, as a collector would get them."""

from collections.abc import Mapping

from msgspec import Struct
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gal_friday.adapters.tracing import Spans


class Seen(Struct):
    """What makes spans, and the spans that were made."""

    steps: Spans
    kept: InMemorySpanExporter

    def all(self, name: str) -> list[ReadableSpan]:
        """Return the spans of this name, in the order in which they ended."""
        return [span for span in self.kept.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """Return the only span of this name."""
        (span,) = self.all(name)
        return span

    def above(self, span: ReadableSpan) -> str:
        """Return the name of the span that this one belongs to; empty where it belongs to none."""
        ids = {id_of(one): one.name for one in self.kept.get_finished_spans()}
        return "" if span.parent is None else ids[span.parent.span_id]


def seen() -> Seen:
    kept, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return Seen(Spans(provider), kept)


def id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def trace_of(span: ReadableSpan) -> str:
    """Return the id of the trace, as it is written."""
    context = span.get_span_context()
    assert context is not None
    return format(context.trace_id, "032x")


def said(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})
