"""The frames of Kraken's WebSocket version 2 as values. What cannot be read is ``Unknown``, never an exception.

Source: Kraken WebSocket v2 documentation, Executions, Balances, Status, Heartbeat, Ping.
"""

from typing import Any

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.wire import Row
from gal_friday.ports.errors import ExchangeMalformed

EXECUTIONS, BALANCES = "executions", "balances"
CHANNELS = (EXECUTIONS, BALANCES)

_SAID_MAX = 200


class Heartbeat(Struct, frozen=True):
    """The connection lives, and there is nothing to say."""


class Status(Struct, frozen=True):
    """The exchange's word for its state; ``online`` in good times."""

    word: str


class Reply(Struct, frozen=True):
    """The answer to a request, by the number that the request bore."""

    request: int | None
    error: str | None
    at: str = ""
    """When the exchange began to work on it, in its own writing."""


class Rows(Struct, frozen=True):
    """Rows of one channel."""

    channel: str
    snapshot: bool
    rows: tuple[Row, ...]
    sequence: int | None
    """None where the frame bears no number."""


class Unknown(Struct, frozen=True):
    """A frame that nobody here understands: it may have told anything."""

    because: str


Frame = Heartbeat | Status | Reply | Rows | Unknown


def frame_of(data: bytes) -> Frame:
    """Return what these bytes say."""
    try:
        frame = wire.object_of(data)
        return _reply(frame) if "method" in frame else _told(frame)
    except (wire.Unreadable, ExchangeMalformed) as error:
        return Unknown(f"a frame that cannot be read: {error}"[:_SAID_MAX])


def _told(frame: Row) -> Frame:
    match frame.get("channel"):
        case "heartbeat":
            return Heartbeat()
        case "status":
            return _status(frame.get("data"))
        case str() as channel if channel in CHANNELS:
            return _rows(channel, frame)
        case channel:
            return Unknown(f"a frame of a channel that nobody here knows: {str(channel)[:40]!a}")


def _status(data: Any) -> Frame:
    row = data[0] if isinstance(data, list) and data else data
    if not isinstance(row, dict):
        return Unknown("a status without a state")
    return Status(wire.word(row, "system", ("status", "")))


def _rows(channel: str, frame: Row) -> Frame:
    kind, data = frame.get("type"), frame.get("data")
    if kind not in ("snapshot", "update") or not isinstance(data, list):
        return Unknown(f"a frame of {channel} that is neither snapshot nor update")
    if not all(isinstance(row, dict) for row in data):
        return Unknown(f"a frame of {channel} with something that is no row")
    return Rows(channel, kind == "snapshot", tuple(data), wire.whole_number(frame.get("sequence")))


def _reply(frame: Row) -> Frame:
    if frame["method"] == "pong":
        return Heartbeat()
    error = frame.get("error")
    if frame.get("success") is not True and not isinstance(error, str):
        return Unknown("an answer that says neither yes nor why not")
    at = frame.get("time_in")
    return Reply(
        request=wire.whole_number(frame.get("req_id")),
        error=None if frame.get("success") is True else error,
        at=at if isinstance(at, str) else "",
    )
