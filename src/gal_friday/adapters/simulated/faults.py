"""Everything that can go wrong between the exchange and a client, by name, on demand.

    server.faults.switch_on("cut_json", endpoint="Ledgers")              # the next call of Ledgers
    server.faults.switch_on("reset", times=3, after=2)                   # calls 3, 4 and 5 of anything
    server.faults.switch_on("latency", times=None, seconds=0.2)          # every call
    server.faults.switch_on("timeout", times=None, chance=0.05)          # one in twenty, by the seed
    server.faults.switch_on("frame_dropped", endpoint="executions")      # the next frame of a stream's channel

What a fault does to an answer is in ``fault_effects``, to a stream in ``stream_faults``; what happens on the
exchange itself (a missed withdrawal, a liquidation) is no fault but an event, and lives in ``exchange``.
"""

from collections.abc import Collection
from random import Random
from types import MappingProxyType
from typing import Any

import msgspec

FAULTS = MappingProxyType(
    {
        # The connection
        "latency": "The answer comes late by `seconds` (0.05).",
        "timeout": "No answer comes at all; the connection stays open until the client gives up.",
        "reset": "The connection is reset before any answer.",
        "cut_connection": "The connection closes in the middle of the body.",
        # The front end
        "bad_gateway_html": "HTTP 502, or `status`, with an HTML page.",
        "unknown_error_520": "HTTP 520 with an HTML page.",
        "blocked_html": "HTTP 403 with an HTML page: the address is blocked.",
        "too_many_requests": "HTTP 429 with Retry-After `seconds` (7).",
        "empty_body": "HTTP 200 with an empty body.",
        "cut_json": "HTTP 200 with JSON that stops in the middle.",
        # Errors in the envelope
        "plain_string_error": "`error` is a plain string instead of a list.",
        "several_errors": "Several errors come together.",
        "warning_with_result": "A warning comes with a valid result.",
        "nonce_error": "EAPI:Invalid nonce.",
        "lockout": "EGeneral:Temporary lockout.",
        "rate_limit": "EAPI:Rate limit exceeded.",
        "throttle": "EService:Throttled with the time to come back, `seconds` (2) ahead.",
        "unavailable": "EService:Unavailable.",
        "internal_error": "EGeneral:Internal error.",
        "permission_lost": "EGeneral:Permission denied, as when a right is taken away in mid-run.",
        "maintenance": "SystemStatus says maintenance, everything else EService:Unavailable.",
        "cancel_only": "SystemStatus says cancel_only; reads go on.",
        # Time
        "clock_offset": "Time and SystemStatus are ahead by `seconds` (90).",
        # Pages and cuts
        "page_repeated": "The previous answer of this endpoint comes again.",
        "page_skipped": "A page of 50 rows is left out.",
        "duplicate_ids": "The last rows of the previous page come again on this one.",
        "rows_arriving": "A deposit and a trade happen just before the answer is made.",
        "stale_balance": "Balances as they stood `rows` (2) ledger rows ago, against a fresh ledger.",
        # Values
        "nan_amount": "The first amount is NaN.",
        "exponent_amounts": "All amounts are written in scientific notation, equal in value.",
        "number_amounts": "All amounts are JSON numbers instead of text.",
        "long_amount": "The first amount has sixty digits.",
        "unknown_field": "Every row carries a field nobody knows.",
        "unknown_enum": "The first row has a type or status nobody knows.",
        "wrong_type": "The first amount is an object.",
        "null_result": "`result` is null.",
        "missing_result": "`result` is missing where rows are expected.",
        "other_endpoint": "The result is that of another endpoint.",
        "other_account": "The result is that of another account.",
    }
)


STREAM_FAULTS = MappingProxyType(
    {
        # The connection; place `connect`, at the next one
        "handshake_refused": "HTTP 503 in place of a stream.",
        "maintenance_status": "The status frame says maintenance.",
        "never_subscribed": "No subscription is ever acknowledged on this connection.",
        # Place `subscribe`
        "token_refused": "ESession:Invalid session, whatever the token.",
        "subscription_denied": "EGeneral:Permission denied.",
        "late_updates": "The last `count` (3) updates before the snapshot come again behind it.",
        # Places `executions` and `balances`, at the next update
        "frame_dropped": "The frame is lost; the next sequence number shows it.",
        "sequence_gap": "The sequence jumps by `by` (5), and nothing is lost.",
        "frame_duplicated": "The frame comes twice.",
        "frames_reordered": "The frame comes after the next one.",
        "frame_delayed": "The frame, and everything behind it, comes late by `seconds` (0.05).",
        "malformed_frame": "The frame stops in the middle of its JSON.",
        "frame_without_sequence": "The frame has no sequence number.",
        "number_texts": "Numbers are written as texts.",
        "nan_quantity": "The first amount is NaN.",
        "strange_channel": "The frame is of a channel nobody knows.",
        "strange_exec_type": "The row has an exec_type or type nobody knows.",
        "strange_fields": "The row carries a field nobody knows.",
        "strange_wallet": "The row names a wallet nobody knows.",
        "strange_name": "The row names an asset or pair nobody knows.",
        "close_1008": "The connection is closed with code 1008 in place of the frame.",
        "cut": "The connection is reset in place of the frame: the client sees 1006.",
        "silence": "The connection stays open and says nothing any more, not even a heartbeat.",
    }
)
"""What can go wrong on the stream; a fault of one list never bites on the other's calls."""

_AT_CONNECT = frozenset({"handshake_refused", "maintenance_status", "never_subscribed"})
_AT_SUBSCRIBE = frozenset({"token_refused", "subscription_denied", "late_updates"})
_AT_FRAME = frozenset(STREAM_FAULTS) - _AT_CONNECT - _AT_SUBSCRIBE
_AT = {"connect": _AT_CONNECT, "subscribe": _AT_SUBSCRIBE, "executions": _AT_FRAME, "balances": _AT_FRAME}


class Switch(msgspec.Struct):
    """One fault that has been switched on, and when it bites."""

    name: str
    endpoint: str | None = None
    times: int | None = 1
    after: int = 0
    chance: float | None = None
    options: dict[str, Any] = {}

    @property
    def spent(self) -> bool:
        """Whether it will never bite again."""
        return self.times == 0


class Faults:
    """The faults that are switched on, in the order in which they were."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.switches: list[Switch] = []
        # (fault, endpoint) of everything that has bitten, in order.
        self.fired: list[tuple[str, str]] = []

    def switch_on(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        times: int | None = 1,
        after: int = 0,
        chance: float | None = None,
        **options: Any,
    ) -> Switch:
        """Switch a fault on for one endpoint or all, and return the switch.

        *after* calls pass unharmed, then it bites *times* times (None: for ever), each time only with
        probability *chance* if one is given.

        Raises:
            KeyError: there is no fault of that name.
        """
        if name not in FAULTS and name not in STREAM_FAULTS:
            raise KeyError(f"no fault {name!r}; there are {', '.join((*FAULTS, *STREAM_FAULTS))}")
        switch = Switch(name, endpoint, times, after, chance, options)
        self.switches.append(switch)
        return switch

    def switch_off(self, name: str | None = None) -> None:
        """Switch one fault off, or all."""
        self.switches = [each for each in self.switches if name is not None and each.name != name]

    def due(self, endpoint: str) -> list[Switch]:
        """Return what bites on this call of an endpoint, and count it."""
        return self._due(endpoint, FAULTS)

    def due_on_stream(self, place: str) -> list[Switch]:
        """Return what bites now at this place of the stream, and count it."""
        return self._due(place, _AT[place])

    def _due(self, endpoint: str, among: Collection[str]) -> list[Switch]:
        due = [
            each
            for each in self.switches
            if each.name in among and each.endpoint in (None, endpoint) and self._bites(each)
        ]
        self.fired.extend((each.name, endpoint) for each in due)
        self.switches = [each for each in self.switches if not each.spent]
        return due

    def _bites(self, switch: Switch) -> bool:
        if switch.after > 0:
            switch.after -= 1
            return False
        if switch.chance is not None and self._chance.random() >= switch.chance:
            return False
        if switch.times is not None:
            switch.times -= 1
        return True
