"""The last line of defence: whatever a command raises becomes a sentence on stderr and an exit status.

Nobody ever sees a traceback unless they ask for it with ``--debug``. SIGTERM and SIGHUP end a command as Ctrl-C does:
what was begun is undone, and an account that was being reconciled is free at once.
"""

import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType

from gal_friday.cli.output import complain, say
from gal_friday.domain.errors import GalFridayError

DEBUG_FLAG = "--debug"


def guarded(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name and return its exit status. Raises nothing."""
    _never_without_streams()
    _never_fail_on_a_character()
    ours, debug = _without_debug(arguments)
    with _loops_listen(), _ended_in_order() as signals:
        try:
            status = _ran(ours)
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001 - the last line of defence, which reports it
            status = _explained(error, ours, debug=debug)
            _flushed_or_dropped()
            if signals and isinstance(error, KeyboardInterrupt):
                status = _SIGNALLED + signals[0]
    return status


_SIGNALLED = 128  # As shells count it.


@contextlib.contextmanager
def _ended_in_order() -> Iterator[list[int]]:
    """Have a request to end do what Ctrl-C does, unless somebody already decided otherwise; give what came."""
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        # What runs now has its own way to be interrupted: an event loop cancels what it runs.
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    ours = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = [number for number in ours if signal.getsignal(number) is signal.SIG_DFL]
    with contextlib.suppress(ValueError):  # only the main thread hears signals
        for number in ours:
            signal.signal(number, end)
    try:
        yield came
    finally:
        with contextlib.suppress(ValueError):
            for number in ours:
                signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def _loops_listen() -> Iterator[None]:
    """Let event loops be interrupted in order where Ctrl-C itself is ignored, as in the background of a script.

    A loop takes over the interrupt only where Python handles it; blocked, Ctrl-C is ignored as it was.
    """
    if not hasattr(signal, "pthread_sigmask") or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    except ValueError:  # only the main thread hears signals
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
    from gal_friday.bulk.errors import EngineFailed
    from gal_friday.cli.exit_status import FAILED, WRONG_USAGE
    from gal_friday.ports.errors import WorldFailed

    return FAILED if isinstance(error, WorldFailed | EngineFailed) else WRONG_USAGE


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


def _never_without_streams() -> None:
    """Give a stream that was closed before the start a place to go: None is no stream that anything could write to."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115


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
