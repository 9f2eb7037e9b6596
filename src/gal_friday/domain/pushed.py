"""What a trading system pushes: one JSON object with the account and records of one kind.

The records are read by the very rules of the snapshot file: amounts as text or as bare numbers, both exactly; what is
wrong is refused with its place (``fills[3].quantity``), the reason and the way out. One bad record refuses the whole
batch, so that whoever pushes knows what was taken. Nothing here writes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.exact_json import Unreadable, a_text, each, parsed
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.snapshot_json import record_reader, written_record

PushedKind = Literal["fills", "movements", "orders"]
BATCH_MAX = 10_000
"""Records in one call: more of them hold the book for longer than others should wait."""


_ENCODER = msgspec.json.Encoder(decimal_format="number")


class MalformedPush(GalFridayError, ValueError):
    """A batch that cannot be read; the message names the place, the reason and the way out."""

    def __init__(self, place: str, reason: str) -> None:
        """Keep where it is (``fills[3].quantity``) and what is wrong there."""
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place, self.reason = place, reason


class Pushed(Struct, frozen=True, kw_only=True):
    """One batch."""

    account: str
    fills: Sequence[Fill] = ()
    movements: Sequence[Movement] = ()
    orders: Sequence[Order] = ()


def read_pushed(data: bytes, kind: PushedKind) -> Pushed:
    """Return the batch that *data* holds, records in their order.

    Raises:
        MalformedPush: anything that cannot be read exactly, and more records than ``BATCH_MAX``.
    """
    try:
        top = parsed(data)
        unknown = [name for name in top if name not in ("account", kind)]
        if unknown:
            raise Unreadable(f"unknown; known are account, {kind}", f".{unknown[0]}")
        for name in ("account", kind):
            if name not in top:
                raise Unreadable("missing, and nothing can stand in for it", f".{name}")
        rows: dict[str, Any] = {kind: _rows(top[kind], kind)}
        return Pushed(account=_account(top["account"]), **rows)
    except Unreadable as wrong:
        raise MalformedPush(wrong.place, wrong.reason) from None


def write_pushed(account: str, kind: PushedKind, records: Iterable[Fill | Movement | Order]) -> bytes:
    """Return the batch that holds these records; reading it gives equal ones back."""
    return _ENCODER.encode({"account": account, kind: [written_record(kind, one) for one in records]})


def _account(value: object) -> str:
    try:
        return a_text(value)
    except Unreadable as wrong:
        raise wrong.under(".account") from None


def _rows(value: object, kind: PushedKind) -> tuple[Fill | Movement | Order, ...]:
    if isinstance(value, list) and len(value) > BATCH_MAX:
        raise Unreadable(f"{len(value)} records in one call, of at most {BATCH_MAX}; send them in parts", f".{kind}")
    return each(value, record_reader(kind), f".{kind}")
