"""What stands under a key, said once for every place in which answers are kept."""

from datetime import datetime

from gal_friday.ports.answers import Asked, Claimed, Free, Given, OtherCall, UnderWay


def claimed(asked: Asked, what: str, at: datetime, answer: Given | None, stale_before: datetime) -> Claimed:
    """Return what a call finds that comes after one for *what*, made at *at* and answered with *answer*."""
    if what != asked.what:
        return OtherCall()
    if answer is not None:
        return answer
    return Free() if at < stale_before else UnderWay()
