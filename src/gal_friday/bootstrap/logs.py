"""What a service logs: events under constant names with keys, one line each; JSON, or for people on a terminal.

The names are those of the facts where there is one. What other libraries log comes out in the same form. Whatever looks
like a secret is taken out before it is written, wherever it stands. Whoever logs never waits for whoever reads.
"""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from gal_friday.bootstrap.lines import Lines

_SECRETS = re.compile(r"gf_[A-Za-z0-9_-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
"""Our own tokens, and the user and password of an address."""
_NAMES = re.compile(r"secret|password|token|authorization|api_key|cookie|otp", re.IGNORECASE)
_QUIET = (
    *("httpx2", "httpcore2", "websockets", "alembic", "uvicorn", "procrastinate", "aiosqlite", "asyncio"),
    "opentelemetry",
)
"""Whose words are wanted only where something is wrong."""


@contextlib.contextmanager
def logging_to(out: TextIO, *, level: int = logging.INFO) -> Iterator[Callable[[str], None]]:
    """Log to *out* while this lasts, for people where it is a terminal; give what writes a plain line between."""
    root = logging.getLogger()
    before = root.handlers, root.level, {name: logging.getLogger(name).level for name in _QUIET}
    try:
        with _written_to(out) as put:
            _log_by(put, level, for_people=out.isatty())
            yield put
    finally:
        root.handlers, root.level, levels = before
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
        structlog.reset_defaults()


@contextlib.contextmanager
def _written_to(out: TextIO) -> Iterator[Callable[[str], None]]:
    """Give what writes a line; by a thread of its own where it is more than memory."""
    try:
        descriptor = out.fileno()
    except OSError:
        yield lambda line: print(line, file=out)
        return
    out.flush()
    lines = Lines(descriptor, _dropped)
    try:
        yield lines.put
    finally:
        lines.close()


def _dropped(count: int) -> None:
    structlog.get_logger("gal_friday.logs").warning("log_lines_dropped", lines=count)


class _Handler(logging.Handler):
    """Makes a line of each event where it happens, with what is known there."""

    def __init__(self, put: Callable[[str], None]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._put(self.format(record))
        except Exception:  # noqa: BLE001 - as the handlers of the standard library: a log must not end what it tells of
            self.handleError(record)


def _log_by(put: Callable[[str], None], level: int, *, for_people: bool) -> None:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    shown: Processor = structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer()
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown]
    handler = _Handler(put)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers, root.level = [handler], level
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event with whatever looks like a secret taken out."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    if _NAMES.search(name):
        return "…"
    return _SECRETS.sub("…", value) if isinstance(value, str) else value
