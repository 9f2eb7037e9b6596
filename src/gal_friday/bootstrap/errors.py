"""What can be wrong with a configuration. One error, whose message names the place and the way out."""

from collections.abc import Iterator
from contextlib import contextmanager

from gal_friday.domain.errors import GalFridayError


class BadConfiguration(GalFridayError, ValueError):
    """The configuration cannot be used as it stands."""


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Say how to install what an import inside of it lacks.

    Raises:
        BadConfiguration: *what* needs the extra of this name, and it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "gal_friday":
            raise
        raise BadConfiguration(f"{what} needs the extra: pip install 'gal-friday[{name}]'") from missing
