"""From an HTTP request to an answer: routing, faults, admission, limits, the endpoint, the envelope.

Synchronous on purpose: one request is read, answered and done before the next one is looked at, so no
answer ever shows half an event. Waiting (a slow answer) happens afterwards, in ``server``.
"""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gal_friday.adapters.simulated.answer import PRIVATE_PREFIX, PUBLIC_PREFIX, Answer, HttpRequest
from gal_friday.adapters.simulated.auth import Gate
from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, ticks_of
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.exports import Binary
from gal_friday.adapters.simulated.fault_effects import changed_answer, changed_result, ends_early, error_of
from gal_friday.adapters.simulated.faults import Faults, Switch
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.limits import spend
from gal_friday.adapters.simulated.private_endpoints import PRIVATE, WRITING
from gal_friday.adapters.simulated.public_endpoints import PUBLIC, server_time, system_status
from gal_friday.adapters.simulated.refusal import (
    PERMISSION_DENIED,
    THROTTLED,
    UNKNOWN_METHOD,
    Refused,
    invalid,
)
from gal_friday.adapters.simulated.request import Request
from gal_friday.adapters.simulated.wire import encode, envelope, error_envelope

# A read that answers with the wrong rows gets those of this endpoint.
NEIGHBOUR = {"Balance": "BalanceEx", "BalanceEx": "Balance", "Ledgers": "TradesHistory"}


class Service:
    """Answers requests about one exchange."""

    def __init__(self, exchange: Exchange, *, enforce_limits: bool = True, max_concurrent: int = 20) -> None:
        self.exchange = exchange
        self.enforce_limits = enforce_limits
        self.max_concurrent = max_concurrent
        # A generator of its own: switching faults on must not change the ids the exchange makes.
        self.faults = Faults(Random(f"{exchange.seed} faults"))
        self.calls: list[str] = []
        self._gate = Gate(exchange)
        self._in_flight: dict[str, int] = {}
        self._previous: dict[tuple[str, str], Any] = {}

    def answer(self, http: HttpRequest) -> Answer:
        """Return the answer to one request; it never raises for what a client can send."""
        endpoint = http.endpoint
        self.calls.append(endpoint)
        switches = self.faults.due(endpoint)
        for switch in switches:
            early = ends_early(switch)
            if early is not None:
                return early
        answer = self._answer_or_error(http, switches)
        for switch in switches:
            changed_answer(switch, answer)
        return answer

    def enter(self, http: HttpRequest) -> Answer | None:
        """Count a request as in flight; return a refusal when its key has too many already."""
        name = http.headers.get("api-key", "")
        busy = self._in_flight.get(name, 0)
        if name and self.enforce_limits and busy >= self.max_concurrent:
            return Answer(error_envelope(f"{THROTTLED}: {self._unixtime() + 1}"))
        self._in_flight[name] = busy + 1
        return None

    def leave(self, http: HttpRequest) -> None:
        """Count a request as done."""
        name = http.headers.get("api-key", "")
        self._in_flight[name] -= 1
        if not self._in_flight[name]:
            del self._in_flight[name]

    def _answer_or_error(self, http: HttpRequest, switches: list[Switch]) -> Answer:
        warning = ["WGeneral:Something to know"] if _named(switches, "warning_with_result") else None
        try:
            for switch in switches:
                error = error_of(switch, http.endpoint, self._unixtime())
                if error is not None:
                    return Answer(encode({"error": error}))
            result = self._result(http, switches)
        except Refused as refusal:
            return Answer(error_envelope(refusal.text))
        if isinstance(result, Binary):
            return Answer(result.body, content_type=result.content_type)
        return Answer(envelope(result, warning))

    def _result(self, http: HttpRequest, switches: list[Switch]) -> Any:
        if http.path.startswith(PUBLIC_PREFIX):
            result, who = self._public(http, switches), ""
        elif http.path.startswith(PRIVATE_PREFIX):
            if http.endpoint not in PRIVATE:
                raise Refused(PERMISSION_DENIED if http.endpoint in WRITING else UNKNOWN_METHOD)
            request = self._admitted(http)
            who = request.key.key
            result = self._private(http.endpoint, request, switches)
        else:
            raise Refused(UNKNOWN_METHOD)
        if isinstance(result, Binary):
            return result
        previous = self._previous.get((who, http.endpoint))
        for switch in switches:
            result = changed_result(switch, http.endpoint, result, previous)
        self._previous[who, http.endpoint] = result
        return result

    def _public(self, http: HttpRequest, switches: list[Switch]) -> Any:
        endpoint = PUBLIC.get(http.endpoint)
        if endpoint is None:
            raise Refused(UNKNOWN_METHOD)
        params = parameters(http)
        if endpoint is system_status:
            for name in ("maintenance", "cancel_only"):
                if _named(switches, name):
                    return {**system_status(self.exchange, params), "status": name}
        ahead = _named(switches, "clock_offset")
        if ahead and endpoint in (server_time, system_status):
            return self._ahead(endpoint, ahead)
        return endpoint(self.exchange, params)

    def _ahead(self, endpoint: Any, switch: Switch) -> Any:
        now = self.exchange.now
        offset = timedelta(seconds=float(switch.options.get("seconds", 90)))
        self.exchange.now = lambda: now() + offset
        try:
            return endpoint(self.exchange, {})
        finally:
            self.exchange.now = now

    def _admitted(self, http: HttpRequest) -> Request:
        params = parameters(http)
        key = self._gate.admit(http.path, http.headers, params, http.body)
        if self.enforce_limits:
            spend(key, PRIVATE[http.endpoint].cost, ticks_of(self.exchange.now()))
        rights = PRIVATE[http.endpoint].rights
        if rights and not key.rights.intersection(rights):
            raise Refused(PERMISSION_DENIED)
        return Request(self.exchange, key, params)

    def _private(self, endpoint: str, request: Request, switches: list[Switch]) -> Any:
        for switch in switches:
            match switch.name:
                case "page_skipped":
                    request.page_shift += 50
                case "stale_balance":
                    request.rows_behind = int(switch.options.get("rows", 2))
                case "rows_arriving":
                    self.arrive(request.account.name)
                case "other_account":
                    request.account = self.exchange.account(self._other(request.key, switch))
                case "other_endpoint":
                    endpoint = str(switch.options.get("instead") or NEIGHBOUR.get(endpoint, "Balance"))
                case _:
                    pass
        return PRIVATE[endpoint].answer(request)

    def arrive(self, account: str) -> None:
        """Let something happen on an account: a deposit, and a trade where Bitcoin has a price."""
        self.exchange.deposit(account, "ZUSD", "100")
        if "XXBTZUSD" in self.exchange.prices:
            self.exchange.place_order(account, "XXBTZUSD", "buy", "market", "0.0001")

    def _other(self, key: ApiKey, switch: Switch) -> str:
        named = switch.options.get("account")
        others = [name for name in self.exchange.accounts if name != key.account]
        if named or others:
            return str(named or others[0])
        return self.exchange.open_account("somebody else").name

    def _unixtime(self) -> int:
        return ticks_of(self.exchange.now()) // TICKS_PER_SECOND


def parameters(http: HttpRequest) -> Mapping[str, str]:
    """Return the parameters of a request, from its query and its form or JSON body.

    Raises:
        Refused: the body is neither a form nor a JSON object.
    """
    params = dict(parse_qsl(http.query, keep_blank_values=True))
    if not http.body:
        return params
    try:
        if http.headers.get("content-type", "").startswith("application/json"):
            return {**params, **_json_parameters(http.body)}
        return {**params, **dict(parse_qsl(http.body.decode(), keep_blank_values=True))}
    except (UnicodeDecodeError, msgspec.DecodeError):
        raise invalid("body") from None


def _json_parameters(body: bytes) -> dict[str, str]:
    values = msgspec.json.decode(body, type=dict[str, Any])
    return {name: _json_text(value) for name, value in values.items() if value is not None}


def _json_text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _named(switches: list[Switch], name: str) -> Switch | None:
    return next((each for each in switches if each.name == name), None)
