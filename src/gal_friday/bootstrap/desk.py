"""The desk at which people decide, put together from the open database."""

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.flows.review import Desk


def desk_of(opened: OpenStore) -> Desk:
    """Return the desk over an open database."""
    return Desk(opened.store, opened.reviews, system_clock())
