"""The command line: one file per group of commands, results on stdout, everything else on stderr.

This file is imported by every start, so it imports nothing itself: ``gal-friday --version`` answers before
any library is loaded. No command decides what differs or how bad it is; it asks, shows and exits.
"""

import sys
from collections.abc import Sequence

_VERSION_FLAGS = (["--version"], ["-V"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; *arguments* default to those of this process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in _VERSION_FLAGS:
        sys.stdout.write(f"gal-friday {version()}\n")
        return 0
    from gal_friday.cli.last_resort import guarded

    return guarded(given)


def version() -> str:
    """Return the version that is installed; ``unknown`` where the package runs from its source alone."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("gal-friday")
    except PackageNotFoundError:
        return "unknown"
