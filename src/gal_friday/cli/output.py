"""Where the command line writes: results to stdout, everything else to stderr.

Names and messages come from exchanges and files; whatever in them is not printable is shown escaped, so that
no record can move the cursor, change a colour or hide a line.
"""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

COMPLAINT_MAX = 2000  # Characters; the end is kept, because it says what to do.

STDIN = "<stdin>"
"""The file name that a lone hyphen on the command line stands for."""


def out() -> "Console":
    """Return the console for results. It never wraps, cuts or interprets what it is given."""
    return _console(stderr=False)


def err() -> "Console":
    """Return the console for everything that is no result."""
    return _console(stderr=True)


def say(text: str) -> None:
    """Write a line to stderr, plainly: progress, warnings, what to do next."""
    # What stdout cannot take must not swallow the sentence that says so.
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.write(f"{printable(text)}\n")


def complain(text: str) -> None:
    """Write an error to stderr, under the name of the program; what it quotes may be of any length, and is cut."""
    cut = text if len(text) <= COMPLAINT_MAX else f"{text[: COMPLAINT_MAX // 2]} … {text[-COMPLAINT_MAX // 2 :]}"
    say(f"gal-friday: {cut}")


def write(data: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(data.decode())
        return
    stream.write(data)
    stream.flush()


def write_json(value: Any) -> None:
    """Write one compact JSON document and a newline to stdout; amounts as plain digits."""
    import msgspec

    from gal_friday.domain.plain import plain

    write(msgspec.json.encode(plain(value)) + b"\n")


def printable(text: str) -> str:
    """Return the text with everything unprintable escaped; line ends stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    class Plain(Console):
        """A console that leaves a broken pipe to whoever runs the command."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)
