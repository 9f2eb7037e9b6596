"""The last line of defence: whatever a command raises becomes a sentence on stderr and an exit status.

Nobody ever sees a traceback unless they ask for it with ``--debug``.
"""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

from gal_friday.cli.output import complain, say
from gal_friday.domain.errors import GalFridayError

DEBUG_FLAG = "--debug"


def guarded(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name and return its exit status. Raises nothing."""
    _never_fail_on_a_character()
    ours, debug = _without_debug(arguments)
    try:
        status = _ran(ours)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the last line of defence, which reports it
        status = _explained(error, ours, debug=debug)
        _flushed_or_dropped()
    return status


def _ran(arguments: Sequence[str]) -> int:
    from gal_friday.cli.app import run

    return run(arguments)


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Take ``--debug`` out, wherever it stands: it belongs to no single command."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    ours = [word for word in arguments[:end] if word != DEBUG_FLAG]
    return [*ours, *arguments[end:]], len(ours) < end


def _explained(error: BaseException, arguments: Sequence[str], *, debug: bool) -> int:
    from gal_friday.cli import exit_status
    from gal_friday.cli.again import carrying, config_in

    if debug and not isinstance(error, SystemExit | BrokenPipeError):
        with contextlib.suppress(OSError):
            say("".join(traceback.format_exception(error)).rstrip())
    match error:
        case SystemExit(code=int(code)):
            return code
        case KeyboardInterrupt():
            return exit_status.INTERRUPTED
        case BrokenPipeError():
            return exit_status.BROKEN_PIPE
        case GalFridayError():
            return _told(carrying(str(error), config_in(arguments)), _status_of(error))
        case OSError():
            return _told(f"{_place(error)}{error.strerror or error}", exit_status.FAILED)
        case _:
            return _told(_defect(error), exit_status.FAILED)


def _status_of(error: GalFridayError) -> int:
    """What the world did not let us do has failed; everything else was asked for wrongly."""
    from gal_friday.cli.exit_status import FAILED, WRONG_USAGE
    from gal_friday.ports.errors import WorldFailed

    return FAILED if isinstance(error, WorldFailed) else WRONG_USAGE


def _told(message: str, status: int) -> int:
    with contextlib.suppress(OSError):
        complain(message)
    return status


def _place(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""


def _defect(error: BaseException) -> str:
    # The message itself may quote anything, a secret included; the name of its class cannot.
    return (
        f"this is a defect of gal-friday ({type(error).__name__}); "
        f"run the same command with {DEBUG_FLAG} and report what it shows"
    )


def _never_fail_on_a_character() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _flushed_or_dropped() -> None:
    """Leave nothing in the buffer that would fail, loudly, once Python shuts down."""
    try:
        sys.stdout.flush()
    except OSError:
        devnull = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(OSError, ValueError):
            os.dup2(devnull, sys.stdout.fileno())
