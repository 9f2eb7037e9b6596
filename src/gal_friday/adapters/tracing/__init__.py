"""Steps as spans of OpenTelemetry. Nothing else in the project imports it."""

from gal_friday.adapters.tracing.spans import Spans

__all__ = ["Spans"]
