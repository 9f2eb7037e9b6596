"""How an instant is written in sentences for people: in UTC, whatever the zone it was given in.

Records keep the zone of their source. What is called UTC is UTC: nothing here reads a clock, and no instant is
written in two ways.
"""

from datetime import UTC, datetime


def instant(at: datetime) -> str:
    """Return an instant as people read it, to the second: ``2026-03-01 12:00:00 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def exact_instant(at: datetime) -> str:
    """Return an instant to the millisecond, as ISO 8601 has it: ``2026-03-01T12:00:00.000Z``."""
    there = at.astimezone(UTC)
    return f"{there:%Y-%m-%dT%H:%M:%S}.{there.microsecond // 1000:03d}Z"
