"""One connection to Kraken's private stream, without its socket: what it says, and what it hears.

It says three things and can say no other: subscribe, unsubscribe, ping (I8). Frames are numbered per channel
from 1. A number that jumps means lost frames: what came is used, a ``Missed`` is told, and the channel is
subscribed to anew. After every snapshot of the executions a ``Missed`` is told as well, since no snapshot holds
what happened before it.

Source: Kraken WebSocket v2 documentation, Subscribe, Executions, Balances.
"""

from datetime import datetime
from itertools import count

import msgspec
from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.errors import ErrorClass, refusal
from gal_friday.adapters.kraken.stream_balances import Balances
from gal_friday.adapters.kraken.stream_executions import Executions
from gal_friday.adapters.kraken.stream_frames import (
    BALANCES,
    CHANNELS,
    EXECUTIONS,
    Heartbeat,
    Reply,
    Rows,
    Status,
    Unknown,
    frame_of,
)
from gal_friday.adapters.kraken.stream_pairs import Pairs
from gal_friday.ports.errors import ExchangeMalformed
from gal_friday.ports.stream import Connected, Missed, StreamEvent

ONLINE = "online"
OPTIONS = {EXECUTIONS: {"snap_orders": True, "snap_trades": True}, BALANCES: {"snapshot": True}}
ANEW_MAX = 3
"""So often is a channel subscribed to anew; then the connection is."""
STEADY = 100
"""So many frames in order, and the count of that begins again."""
PING = b'{"method":"ping"}'

_PERSON = frozenset({ErrorClass.PERMISSION, ErrorClass.AUTH, ErrorClass.PERMANENT})


class StreamEnded(Exception):
    """This connection is of no use any more."""

    def __init__(self, because: str, *, final: bool = False, token: bool = False, pause: float = 0.0) -> None:
        """*final*: a person has to act. *token*: it was refused, and another may help. *pause*: wait so long."""
        super().__init__(because)
        self.because = because
        self.final = final
        self.token = token
        self.pause = pause


class Channel(Struct):
    """One subscription and how far it has counted."""

    name: str
    sequence: int | None = None
    """Of the last frame; None until there is one with a number."""
    waiting: bool = True
    """For a snapshot: until it comes, numbers mean nothing."""
    anew: int = 0
    in_order: int = 0
    unnumbered: bool = False


class StreamSession:
    """What is said and heard over one connection."""

    def __init__(self, token: str, executions: Executions, balances: Balances, pairs: Pairs) -> None:
        """Have both subscriptions ready in ``outgoing``."""
        self._token = token
        self._pairs = pairs
        self._executions = executions
        self._balances = balances
        self._channels = {name: Channel(name) for name in CHANNELS}
        self._requests = count(1)
        self._asked: dict[int, tuple[str, str]] = {}
        self._as_of: datetime | None = None
        self._connected = False
        self._status = ONLINE
        self.outgoing: list[bytes] = []
        self.ended: StreamEnded | None = None
        for name in CHANNELS:
            self._ask("subscribe", name)

    @property
    def ready(self) -> bool:
        """Whether every channel has had its snapshot."""
        return not any(channel.waiting for channel in self._channels.values())

    def heard(self, data: bytes, at: datetime) -> list[StreamEvent]:
        """Return what one frame tells; what has to be said in return lies in ``outgoing``, an end in ``ended``.

        Raises:
            StreamEnded: this connection is of no use any more.
        """
        told = self._told(data, at)
        return [*told, *self._pairs.overdue(at)]

    def _told(self, data: bytes, at: datetime) -> list[StreamEvent]:
        match frame_of(data):
            case Heartbeat():
                return []
            case Status(word):
                return self._state(word, at)
            case Reply() as reply:
                self._replied(reply)
                return []
            case Rows() as rows:
                return self._rows(rows, at)
            case Unknown(because):
                return [Missed(because, at)]

    def _state(self, word: str, at: datetime) -> list[StreamEvent]:
        before, self._status = self._status, word
        return [] if word == before else [Missed(f"Kraken says {word[:40]}", at)]

    def _replied(self, reply: Reply) -> None:
        # A refusal that bears no number can only be one of a subscription: nothing else is waited for.
        method, name = self._asked.pop(reply.request or 0, ("subscribe", "a channel"))
        if method == "unsubscribe":
            return
        if reply.error is None:
            self._as_of = _written(reply.at) if name == BALANCES else self._as_of
            return
        text = reply.error.replace(self._token, "(token)")
        refused = refusal([text])
        assert refused is not None, "one entry was given"
        because = f"Kraken refuses the subscription to {name}: {refused.text}"
        if refused.worst in _PERSON:
            raise StreamEnded(f"{because}; check the rights of the key with: gal-friday preflight", final=True)
        raise StreamEnded(because, token=refused.worst is ErrorClass.TOKEN)

    def _rows(self, rows: Rows, at: datetime) -> list[StreamEvent]:
        channel = self._channels[rows.channel]
        if rows.snapshot:
            return self._snapshot(channel, rows, at)
        hearer = self._executions if channel.name == EXECUTIONS else self._balances
        late = rows.sequence is not None and channel.sequence is not None and rows.sequence <= channel.sequence
        if channel.name == BALANCES:
            self._pairs.entries(rows.rows, at)
        told = hearer.update(rows.rows, at, late=late)
        # After what was told: a Missed stands for what happened before it.
        return [*told, *self._counted(channel, rows.sequence, at)]

    def _snapshot(self, channel: Channel, rows: Rows, at: datetime) -> list[StreamEvent]:
        channel.sequence, channel.waiting = rows.sequence, False
        if channel.name == BALANCES:
            told = self._balances.snapshot(rows.rows, at, self._as_of)
            return [*told, *([Missed("balances were subscribed to anew", at)] if channel.anew else [])]
        first, self._connected = not self._connected, True
        told = self._executions.snapshot(rows.rows, at)
        missed = Missed("connected: nothing tells what happened before" if first else "executions begin anew", at)
        return [*([Connected(at)] if first else []), *told, missed]

    def _counted(self, channel: Channel, sequence: int | None, at: datetime) -> list[StreamEvent]:
        """Count a frame, and tell of a gap before it."""
        if channel.waiting:
            return []
        if sequence is None:
            return self._without_number(channel, at)
        before, channel.sequence = channel.sequence, max(sequence, channel.sequence or 0)
        if before is None or sequence <= before:
            # A frame that comes again, or after those behind it: what it tells is known by its ids.
            return []
        if sequence == before + 1:
            channel.in_order += 1
            channel.anew = 0 if channel.in_order >= STEADY else channel.anew
            return []
        self._begin_anew(channel)
        return [Missed(f"{channel.name}: frames {before + 1} to {sequence - 1} never came", at)]

    def _without_number(self, channel: Channel, at: datetime) -> list[StreamEvent]:
        told, channel.unnumbered = channel.unnumbered, True
        if channel.sequence is not None:
            channel.sequence += 1
        return [] if told else [Missed(f"{channel.name}: a frame without a number; a gap would not be seen", at)]

    def _begin_anew(self, channel: Channel) -> None:
        channel.anew += 1
        channel.in_order = 0
        if channel.anew > ANEW_MAX:
            # Not raised: what this frame tells comes first.
            self.ended = StreamEnded(f"the numbers of {channel.name} jump again and again")
            return
        channel.waiting = True
        self._ask("unsubscribe", channel.name)
        self._ask("subscribe", channel.name)

    def _ask(self, method: str, name: str) -> None:
        number = next(self._requests)
        self._asked[number] = (method, name)
        options = OPTIONS[name] if method == "subscribe" else {}
        params = {"channel": name, **options, "token": self._token}
        self.outgoing.append(msgspec.json.encode({"method": method, "params": params, "req_id": number}))


def _written(at: str) -> datetime | None:
    try:
        return wire.dated({"at": at}, "at", ("subscribe", ""))
    except ExchangeMalformed:
        return None
