"""The numbers that a monitor collects, in the words of Prometheus."""

from gal_friday.adapters.metrics.prometheus import Metrics
from gal_friday.adapters.metrics.state import Standing, Waiting

__all__ = ["Metrics", "Standing", "Waiting"]
