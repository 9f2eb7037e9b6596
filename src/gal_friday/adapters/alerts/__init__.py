"""Alerts: where they are kept, and the channels that tell them."""

from gal_friday.adapters.alerts.memory import MemoryAlerts, MemoryWatched
from gal_friday.adapters.alerts.sql import SqlAlerts
from gal_friday.adapters.alerts.watched import SqlWatched

__all__ = ["MemoryAlerts", "MemoryWatched", "SqlAlerts", "SqlWatched"]
