"""What each fault does: to the connection, to the request, to the result, to the bytes of the answer.

A result is taken apart only when a fault must change it, and then without losing a digit: JSON numbers
come through as their text.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Raw

from gal_friday.adapters.simulated.answer import Answer, Ending, page_of_html
from gal_friday.adapters.simulated.faults import Switch
from gal_friday.adapters.simulated.wire import NO_RESULT, NoResult, encode
from gal_friday.domain import quantity

LONG_AMOUNT = "123456789012345678901234567890.123456789012345678901234567890"
STRANGE = "some_future_value"
OVERLAP = 5
HTTP_TOO_MANY = 429

_DECODER = msgspec.json.Decoder(float_hook=lambda text: Raw(text.encode()))
_AMOUNTS = frozenset(
    [
        "balance", "hold_trade", "amount", "fee", "cost", "vol", "vol_exec", "vol_closed", "price", "margin",
        "eb", "tb", "m", "n", "c", "v", "e", "mf",
    ]
)  # fmt: skip
_KINDS = ("type", "status", "posstatus")


def ends_early(switch: Switch) -> Answer | None:
    """Return the answer of a fault that strikes before the exchange has read the request; None for others."""
    early = _EARLY.get(switch.name)
    if early is None:
        return None
    answer = msgspec.structs.replace(early)
    answer.status = int(switch.options.get("status", early.status))
    if answer.status == HTTP_TOO_MANY:
        answer.headers = (("Retry-After", str(int(switch.options.get("seconds", 7)))),)
    return answer


def error_of(switch: Switch, endpoint: str, unixtime: int) -> str | list[str] | None:
    """Return what a fault puts into ``error`` instead of a result; None for others."""
    seconds = int(switch.options.get("seconds", 2))
    errors: dict[str, str | list[str]] = {
        "plain_string_error": "EService:Unavailable",
        "several_errors": ["WGeneral:Deprecated", "EService:Busy", "EGeneral:Internal error"],
        "nonce_error": ["EAPI:Invalid nonce"],
        "lockout": ["EGeneral:Temporary lockout"],
        "rate_limit": ["EAPI:Rate limit exceeded"],
        "throttle": [f"EService:Throttled: {unixtime + seconds}"],
        "unavailable": ["EService:Unavailable"],
        "internal_error": ["EGeneral:Internal error"],
        "permission_lost": ["EGeneral:Permission denied"],
    }
    if switch.name == "maintenance" and endpoint not in ("SystemStatus", "Time"):
        return ["EService:Unavailable"]
    return errors.get(switch.name)


def changed_result(switch: Switch, endpoint: str, result: Any, previous: Any) -> Any:
    """Return the result as a fault leaves it; *previous* is the last result of the same endpoint and key."""
    if switch.name == "null_result":
        return None
    if switch.name == "missing_result":
        return NO_RESULT
    if switch.name == "page_repeated":
        return result if previous is None else previous
    if switch.name == "duplicate_ids":
        return _with_overlap(plain(result), plain(previous))
    change = _CHANGES.get(switch.name)
    return result if change is None else change(plain(result), endpoint)


def changed_answer(switch: Switch, answer: Answer) -> None:
    """Change the bytes or the delay of a finished answer."""
    match switch.name:
        case "latency":
            answer.delay += float(switch.options.get("seconds", 0.05))
        case "cut_json":
            answer.body = answer.body[: len(answer.body) * 2 // 3]
        case "cut_connection":
            answer.ending = Ending.CUT
        case _:
            pass


def plain(result: Any) -> Any:
    """Return a result as plain maps, lists and texts; numbers with a point stay as their text."""
    return None if result is None or isinstance(result, NoResult) else _DECODER.decode(encode(result))


def _html(status: int, title: str) -> Answer:
    return Answer(page_of_html(title), status, "text/html; charset=UTF-8")


def _with_overlap(result: Any, previous: Any) -> Any:
    for name in ("ledger", "trades", "closed"):
        if isinstance(result, dict) and isinstance(previous, dict) and name in result and name in previous:
            again = list(previous[name].items())[-OVERLAP:]
            result[name] = {**dict(again), **result[name]}
    return result


def _rows(result: Any) -> Iterable[dict[str, Any]]:
    """Return every map that looks like a row, outermost first."""
    if isinstance(result, dict):
        yield result
        for value in result.values():
            yield from _rows(value)
    elif isinstance(result, list):
        for value in result:
            yield from _rows(value)


def _places(result: Any, endpoint: str) -> Iterable[tuple[dict[str, Any], str]]:
    """Return the place of every amount."""
    for row in _rows(result):
        for name, value in row.items():
            if isinstance(value, str) and (endpoint == "Balance" or name in _AMOUNTS):
                yield row, name


def _every_amount(write: Callable[[str], Any]) -> Callable[[Any, str], Any]:
    def change(result: Any, endpoint: str) -> Any:
        for row, name in list(_places(result, endpoint)):
            row[name] = write(row[name])
        return result

    return change


def _first_amount(value: Any) -> Callable[[Any, str], Any]:
    def change(result: Any, endpoint: str) -> Any:
        for row, name in list(_places(result, endpoint))[:1]:
            row[name] = value
        return result

    return change


def _scientific(text: str) -> str:
    return format(quantity.parse(text), "E")


def _strange_field(result: Any, _endpoint: str) -> Any:
    for row in list(_rows(result)):
        row["a_field_nobody_knows"] = "seen"
    return result


def _strange_kind(result: Any, _endpoint: str) -> Any:
    for row in _rows(result):
        for name in _KINDS:
            if isinstance(row.get(name), str):
                row[name] = STRANGE
                return result
    return result


_EARLY = {
    "timeout": Answer(b"", ending=Ending.NEVER),
    "reset": Answer(b"", ending=Ending.RESET),
    "bad_gateway_html": _html(502, "502 Bad Gateway"),
    "unknown_error_520": _html(520, "520: Web server is returning an unknown error"),
    "blocked_html": _html(403, "Sorry, you have been blocked"),
    "too_many_requests": _html(HTTP_TOO_MANY, "429 Too Many Requests"),
    "empty_body": Answer(b""),
}
_CHANGES: dict[str, Callable[[Any, str], Any]] = {
    "nan_amount": _first_amount("NaN"),
    "long_amount": _first_amount(LONG_AMOUNT),
    "wrong_type": _first_amount({"unexpected": True}),
    "exponent_amounts": _every_amount(_scientific),
    "number_amounts": _every_amount(lambda text: Raw(text.encode())),
    "unknown_field": _strange_field,
    "unknown_enum": _strange_kind,
}
