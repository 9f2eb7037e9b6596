"""Kraken's WebSocket version 2, private side: what a connection is told, and what it may ask.

No socket is known here: ``StreamSession`` takes the texts that came in and leaves behind what is to go out,
and ``stream_connection`` carries both. Everything that happens on the exchange is rendered at the moment at
which it happens and numbered per subscription, so no frame ever shows half an event.

Source: Kraken WebSocket v2 documentation, Executions, Balances, Status, Ping.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import ticks_of
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.faults import Faults, Switch
from gal_friday.adapters.simulated.happenings import Happening
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.refusal import PERMISSION_DENIED, Refused, invalid
from gal_friday.adapters.simulated.stream_faults import Cut, Out, Said, faulty
from gal_friday.adapters.simulated.stream_rows import (
    BALANCES,
    EXECUTIONS,
    Row,
    moment,
    row_of,
    snapshot_of_balances,
    snapshot_of_orders,
    snapshot_of_trades,
)
from gal_friday.adapters.simulated.stream_wire import HEARTBEAT, WireExecution, WireFrame, WireReply
from gal_friday.adapters.simulated.wire import encode

INVALID_SESSION = "ESession:Invalid session"
NOT_SUBSCRIBED, ALREADY_SUBSCRIBED = "Subscription Not Found", "Already subscribed"
MAX_RATE_COUNT = 125  # Kraken WebSocket v2 documentation, Executions: as acknowledged for a middle tier.
# Any one of the rights will do.
RIGHTS = {EXECUTIONS: ("query-open-trades", "query-closed-trades"), BALANCES: ("query-funds", "query-ledger")}
_TRANSITIONS_ONLY = frozenset({"new", "trade", "filled", "canceled", "expired"})
_REMEMBERED = 20
OUTBOX_MAX = 100_000


class Subscription(Struct):
    """One channel of one connection, and how far it has counted."""

    channel: str
    account: str
    token: str
    options: Mapping[str, Any]
    sequence: int = 0
    held: bytes | None = None
    """A frame that a fault keeps back until the next one has gone."""


class StreamHub:
    """All connections to the stream of one exchange."""

    def __init__(self, exchange: Exchange, faults: Faults) -> None:
        self.exchange = exchange
        self.faults = faults
        self.sessions: list[StreamSession] = []
        self.connection_ids = count(exchange.seed * 1_000_003)
        self._recent: dict[tuple[str, str], deque[Row]] = {}

    def start(self) -> None:
        """Listen to the exchange."""
        self.exchange.listeners.append(self._heard)

    def stop(self) -> None:
        """Listen no more."""
        self.exchange.listeners.remove(self._heard)

    def recent(self, account: str, channel: str) -> list[Row]:
        """Return the last rows that this channel of an account told, oldest first."""
        return list(self._recent.get((account, channel), ()))

    def _heard(self, account: Account, happening: Happening) -> None:
        told = row_of(self.exchange, happening) if self.sessions else None
        if told is None:
            return
        channel, row = told
        self._recent.setdefault((account.name, channel), deque(maxlen=_REMEMBERED)).append(row)
        for session in self.sessions:
            session.tell(account.name, channel, row)


class StreamSession:
    """One connection: its subscriptions and what it is still to be sent."""

    def __init__(self, hub: StreamHub) -> None:
        self._hub = hub
        self.outbox: deque[Out] = deque()
        self.changed = asyncio.Event()
        self.subscriptions: dict[str, Subscription] = {}
        self._switches = hub.faults.due_on_stream("connect")

    @property
    def refused(self) -> bool:
        """Whether a fault refuses the handshake."""
        return self._has("handshake_refused")

    def open(self) -> None:
        """Take part, and say how the exchange is, unasked."""
        self._hub.sessions.append(self)
        system = "maintenance" if self._has("maintenance_status") else self._hub.exchange.status
        about = {
            "api_version": "v2",
            "connection_id": next(self._hub.connection_ids),
            "system": system,
            "version": "2.0.10",
        }
        self._say({"channel": "status", "type": "update", "data": [about]})

    def close(self) -> None:
        """Take no part any more."""
        if self in self._hub.sessions:
            self._hub.sessions.remove(self)

    def idle(self) -> None:
        """Nothing was said for the time of a heartbeat."""
        if self.subscriptions:
            self._put([Said(HEARTBEAT)])

    def received(self, text: str | bytes) -> None:
        """Answer one message of the client; it never raises for what a client can send."""
        came = moment(ticks_of(self._hub.exchange.now()))
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._say({"error": "Malformed request", "success": False, "time_in": came, "time_out": came})
            return
        method = str(message.get("method", ""))
        reply = WireReply(method=method, time_in=came, time_out=came, req_id=message.get("req_id", UNSET))
        try:
            self._carry_out(method, message, reply)
        except Refused as refusal:
            reply.success, reply.error = False, refusal.text
            self._say(reply)

    def tell(self, account: str, channel: str, row: Row) -> None:
        """Tell of something that has happened, where this connection has subscribed to it."""
        subscription = self.subscriptions.get(channel)
        if subscription is not None and subscription.account == account and _wanted(row, subscription.options):
            self._update(subscription, row)

    def _carry_out(self, method: str, message: Mapping[str, Any], reply: WireReply) -> None:
        params = message.get("params") or {}
        if not isinstance(params, dict):
            raise invalid("params")
        match method:
            case "ping":
                self._say(WireReply(method="pong", time_in=reply.time_in, time_out=reply.time_out, req_id=reply.req_id))
            case "subscribe":
                self._subscribe(params, reply)
            case "unsubscribe":
                self._unsubscribe(params, reply)
            case _:
                # Orders can be placed on the real one; nothing that talks to this server has any business with that.
                raise Refused(PERMISSION_DENIED if method.endswith("order") else "Unsupported method")

    def _subscribe(self, params: Mapping[str, Any], reply: WireReply) -> None:
        if self._has("never_subscribed"):
            return
        channel = str(params.get("channel", ""))
        switches = self._hub.faults.due_on_stream("subscribe")
        key = self._admitted(channel, str(params.get("token", "")), switches)
        if channel in self.subscriptions:
            raise Refused(ALREADY_SUBSCRIBED)
        options = {name: value for name, value in params.items() if name not in ("channel", "token")}
        subscription = Subscription(channel, key.account, str(params["token"]), options)
        self.subscriptions[channel] = subscription
        reply.success, reply.result = True, _acknowledged(channel, options)
        self._say(reply)
        self._snapshot(subscription)
        for switch in switches:
            if switch.name == "late_updates":
                for row in self._hub.recent(key.account, channel)[-int(switch.options.get("count", 3)) :]:
                    self._send(subscription, "update", [row])

    def _admitted(self, channel: str, token: str, switches: list[Switch]) -> ApiKey:
        if channel not in RIGHTS:
            raise Refused("Channel not found")
        in_use = any(each.token == token for each in self.subscriptions.values())
        key = self._hub.exchange.key_of_token(token, in_use=in_use)
        names = {switch.name for switch in switches}
        if key is None or "token_refused" in names:
            raise Refused(INVALID_SESSION)
        if "subscription_denied" in names or not key.rights.intersection(RIGHTS[channel]):
            raise Refused(PERMISSION_DENIED)
        return key

    def _unsubscribe(self, params: Mapping[str, Any], reply: WireReply) -> None:
        channel = str(params.get("channel", ""))
        if self.subscriptions.pop(channel, None) is None:
            raise Refused(NOT_SUBSCRIBED)
        reply.success, reply.result = True, {"channel": channel}
        self._say(reply)

    def _snapshot(self, subscription: Subscription) -> None:
        exchange, options = self._hub.exchange, subscription.options
        account = exchange.account(subscription.account)
        rows: list[Row] = []
        if subscription.channel == BALANCES:
            if options.get("snapshot", True):
                rows = snapshot_of_balances(exchange, account)
        else:
            if options.get("snap_trades", False):
                rows += snapshot_of_trades(exchange, account)
            if options.get("snap_orders", True):
                rows += snapshot_of_orders(exchange, account)
        self._send(subscription, "snapshot", rows)

    def _send(self, subscription: Subscription, kind: str, rows: list[Row]) -> None:
        subscription.sequence += 1
        self._say(WireFrame(subscription.channel, kind, rows, subscription.sequence))

    def _update(self, subscription: Subscription, row: Row) -> None:
        switches = self._hub.faults.due_on_stream(subscription.channel)
        for switch in switches:
            if switch.name == "sequence_gap":
                subscription.sequence += int(switch.options.get("by", 5))
        subscription.sequence += 1
        frame = encode(WireFrame(subscription.channel, "update", [row], subscription.sequence))
        out = faulty(frame, switches)
        if subscription.held is not None:
            out, subscription.held = [*out, Said(subscription.held)], None
        if any(switch.name == "frames_reordered" for switch in switches):
            subscription.held, out = frame, out[1:]
        self._put(out)

    def _say(self, message: Any) -> None:
        self._put([Said(encode(message))])

    def _put(self, out: Sequence[Out]) -> None:
        self.outbox.extend(out)
        if len(self.outbox) > OUTBOX_MAX:
            # Who does not read is not waited for.
            self.outbox.clear()
            self.outbox.append(Cut())
        self.changed.set()

    def _has(self, name: str) -> bool:
        return any(switch.name == name for switch in self._switches)


def _wanted(row: Row, options: Mapping[str, Any]) -> bool:
    every = bool(options.get("order_status", True))
    return every or not isinstance(row, WireExecution) or row.exec_type in _TRANSITIONS_ONLY


def _acknowledged(channel: str, options: Mapping[str, Any]) -> dict[str, Any]:
    if channel == BALANCES:
        return {"channel": channel, "snapshot": options.get("snapshot", True), **options}
    defaults = {"maxratecount": MAX_RATE_COUNT, "snap_orders": True, "snap_trades": False}
    return {"channel": channel, **defaults, **options}
