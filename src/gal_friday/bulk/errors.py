"""What can be wrong with a table that somebody names."""

from gal_friday.domain.errors import GalFridayError


class UnusableTable(GalFridayError, ValueError):
    """A table that cannot be read, lacks a column, or holds amounts that are not exact; the message says which."""


class EngineFailed(UnusableTable):
    """The world refused: memory, room on a disk, a database that does not answer, a file that somebody writes to."""


class EngineMissing(GalFridayError, RuntimeError):
    """An engine that is not installed, or does not work here; the message says how to get it."""
