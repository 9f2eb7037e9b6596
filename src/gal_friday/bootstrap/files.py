"""Paths and files that a configuration or a command line names. What they hold is somebody else's business."""

from pathlib import Path

from gal_friday.adapters.book_file import read_bounded
from gal_friday.bootstrap.errors import BadConfiguration

__all__ = ["expanded", "read_bounded"]


def expanded(text: str, *, setting: str) -> Path:
    """Return the path that this setting names, with ``~`` as the home folder.

    Raises:
        BadConfiguration: no path can be made of it.
    """
    if "\0" in text:
        raise BadConfiguration(f"{setting}: {text!r} is no path; write one")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise BadConfiguration(f"{setting}: {text!r}: no such home folder is known; write the whole path") from error
