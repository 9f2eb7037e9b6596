"""What goes out over a stream, and what each fault makes of a frame on its way.

A frame is taken apart only where a fault must change it; numbers come through digit for digit.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gal_friday.adapters.simulated.faults import Switch
from gal_friday.adapters.simulated.wire import encode

STRANGE = "some_future_value"

_DECODER = msgspec.json.Decoder(float_hook=lambda text: Raw(text.encode()))
_AMOUNTS = ("last_qty", "order_qty", "amount", "balance", "cum_qty")


class Said(Struct, frozen=True):
    """A text frame, sent after so many seconds."""

    text: bytes
    delay: float = 0.0


class Close(Struct, frozen=True):
    """The closing of the connection with a code."""

    code: int
    reason: str = ""


class Cut(Struct, frozen=True):
    """The connection is reset."""


class Silence(Struct, frozen=True):
    """Nothing more is said, and nobody notices."""


Out = Said | Close | Cut | Silence


def faulty(frame: bytes, switches: list[Switch]) -> list[Out]:
    """Return what goes out in place of a frame."""
    out: list[Out] = [Said(frame)]
    for switch in switches:
        out = _changed(switch, out)
    return out


def _changed(switch: Switch, out: list[Out]) -> list[Out]:
    if switch.name in _INSTEAD:
        return list(_INSTEAD[switch.name])
    said, rest = (out[0], out[1:]) if out else (None, [])
    if not isinstance(said, Said):
        return out
    return [*_said_again(switch, said), *rest]


def _said_again(switch: Switch, said: Said) -> list[Out]:
    """Return the frame as a fault leaves it."""
    match switch.name:
        case "frame_duplicated":
            return [said, said]
        case "frame_delayed":
            return [Said(said.text, float(switch.options.get("seconds", 0.05)))]
        case "malformed_frame":
            return [Said(said.text[: len(said.text) * 2 // 3], said.delay)]
        case name if name in _CHANGES:
            frame = _DECODER.decode(said.text)
            _CHANGES[name](frame)
            return [Said(encode(frame), said.delay)]
        case _:
            return [said]


def _without_sequence(frame: dict[str, Any]) -> None:
    del frame["sequence"]


def _texts(frame: dict[str, Any]) -> None:
    for row in frame["data"]:
        for name, value in row.items():
            if isinstance(value, Raw):
                row[name] = bytes(value).decode()


def _nan(frame: dict[str, Any]) -> None:
    (row,) = frame["data"]
    row[next((name for name in _AMOUNTS if name in row), "cum_qty")] = "NaN"


def _strange_channel(frame: dict[str, Any]) -> None:
    frame["channel"] = STRANGE


def _strange_kind(frame: dict[str, Any]) -> None:
    (row,) = frame["data"]
    row["exec_type" if "exec_type" in row else "type"] = STRANGE


def _strange_fields(frame: dict[str, Any]) -> None:
    for row in frame["data"]:
        row["a_field_nobody_knows"] = {"seen": True}


def _strange_wallet(frame: dict[str, Any]) -> None:
    for row in frame["data"]:
        row["wallet_id"] = STRANGE


def _strange_name(frame: dict[str, Any]) -> None:
    for row in frame["data"]:
        name = "asset" if "asset" in row else "symbol"
        row[name] = "XFOO" if name == "asset" else "XFOO/USD"


_INSTEAD: dict[str, tuple[Out, ...]] = {
    "frame_dropped": (),
    "close_1008": (Close(1008, "Policy violation"),),
    "cut": (Cut(),),
    "silence": (Silence(),),
}
_CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "frame_without_sequence": _without_sequence,
    "number_texts": _texts,
    "nan_quantity": _nan,
    "strange_channel": _strange_channel,
    "strange_exec_type": _strange_kind,
    "strange_fields": _strange_fields,
    "strange_wallet": _strange_wallet,
    "strange_name": _strange_name,
}
