"""What a row keeps as text, read back; one that this program did not write is refused, and never a crash.

Somebody with the database in hand can put anything there. Which row it is says ``gal-friday journal verify``.
"""

from collections.abc import Callable
from typing import TypeVar

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.plain import NOT_READ
from gal_friday.ports.errors import StoreFailed

Kept = TypeVar("Kept")
Given = TypeVar("Given")

# What decoders raise at a text of another shape, and values at a word or an amount that is none.
_FOREIGN = (*NOT_READ, GalFridayError, ValueError, KeyError, TypeError, AttributeError)


def as_written(what: str, read: Callable[[Given], Kept], given: Given) -> Kept:
    """Return what *read* makes of it.

    Raises:
        StoreFailed: it is not what this program writes.
    """
    try:
        return read(given)
    except _FOREIGN as error:
        raise StoreFailed(
            f"the database holds {what} that this program did not write ({type(error).__name__}); keep a copy of it, "
            "and see where: gal-friday journal verify"
        ) from error
