"""Instants and ages as pages show them."""

from datetime import datetime, timedelta

from markupsafe import Markup

from gal_friday.domain.instants import exact_instant, instant
from gal_friday.web.manner import AS_RECORDED, Manner

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def when(at: datetime | None, *, manner: Manner = AS_RECORDED) -> Markup:
    """Return an instant in the zone that was chosen; where that is another, with UTC for whoever points at it."""
    if at is None:
        return Markup('<span class="none">never</span>')
    said, recorded = manner.instant(at), instant(at)
    title = Markup(' title="{}"').format(recorded) if said != recorded else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(exact_instant(at), title, said)


def for_people(duration: timedelta) -> str:
    """Return a duration by its two largest units: ``2 h 5 min``."""
    left, said = max(0, int(duration.total_seconds())), []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            said.append(f"{count}\u202f{name}")
        if len(said) == 2 or (said and size == 60):
            break
    return " ".join(said) or "0\u202fs"


def ago(at: datetime | None, now: datetime, *, manner: Manner = AS_RECORDED) -> Markup:
    """Return how long ago an instant was, or how soon it comes, and the instant for whoever points at it."""
    if at is None:
        return Markup('<span class="none">never</span>')
    words = f"{for_people(now - at)} ago" if at <= now else f"in {for_people(at - now)}"
    said = manner.instant(at)
    return Markup('<time class="ago" datetime="{}" title="{}">{}</time>').format(exact_instant(at), said, words)
