"""The control interface: lets another process make things happen on the exchange and switch faults.

It lives under ``/control/`` on the same server, never under ``/0/``, exists only when a test or the demo
asks for it, and listens on loopback like everything else. Bodies are JSON objects of the arguments of the
method of the same name:

    POST /control/faults            {"name": "cut_json", "endpoint": "Ledgers", "times": 2}
    POST /control/faults/off        {} or {"name": "cut_json"}
    GET  /control/faults            what there is, what is switched on, what has bitten
    POST /control/clock             {"advance": 60}
    POST /control/exchange/deposit  {"account": "main", "asset": "ZUSD", "amount": "100"}
    POST /control/quirks            {"fill_lag": 30}
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from gal_friday.adapters.simulated.answer import Answer, HttpRequest
from gal_friday.adapters.simulated.faults import FAULTS, STREAM_FAULTS
from gal_friday.adapters.simulated.refusal import Refused
from gal_friday.adapters.simulated.service import Service
from gal_friday.adapters.simulated.wire import encode

CONTROL_PREFIX = "/control/"

# What may be called from outside: events, nothing that reads or writes keys.
EVENTS = frozenset(
    {
        "set_price", "deposit", "confirm_deposit", "withdraw", "settle_withdrawal", "fail_withdrawal",
        "cancel_withdrawal", "release_hold", "move", "transfer", "to_futures", "from_futures", "convert",
        "convert_delisted", "pay_delisted", "airdrop", "adjust", "grant", "rebase",
        "place_order", "fill_order",
        "cancel_order", "expire_order", "expire_due", "amend_order", "rollover",
        "roll_due", "settle_position",
        "liquidate", "allocate", "deallocate", "switch_on_rewards", "reward", "set_credit", "revoke_right",
    }
)  # fmt: skip
_SEQUENCES = ("oflags", "subtypes", "kinds", "close")
_LAGS = ("fill_lag", "ledger_lag", "new_order_lag", "export_delay", "heartbeat", "stream_idle")


class Control:
    """Carries out commands from another process."""

    def __init__(self, service: Service, advance: Callable[[timedelta], None] | None = None) -> None:
        self._service = service
        self.advance = advance
        self._commands: dict[str, Callable[[dict[str, Any]], Any]] = {
            "faults/off": lambda arguments: service.faults.switch_off(**arguments),
            "clock": self._move_clock,
            "quirks": self._set_quirks,
            "calls": lambda _: service.calls,
        }

    def answer(self, http: HttpRequest) -> Answer:
        """Carry out one command; a wrong one is answered with HTTP 400 and the reason."""
        try:
            arguments = msgspec.json.decode(http.body or b"{}", type=dict[str, Any])
            return Answer(encode({"result": self._carry_out(http, arguments)}))
        except Refused as refusal:
            return Answer(encode({"error": refusal.text}), 409)
        except (KeyError, TypeError, ValueError, AssertionError, msgspec.DecodeError) as error:
            return Answer(encode({"error": f"{type(error).__name__}: {error}"}), 400)

    def _carry_out(self, http: HttpRequest, arguments: dict[str, Any]) -> Any:
        what = http.path.removeprefix(CONTROL_PREFIX)
        faults = self._service.faults
        match what.split("/"):
            case ["faults"] if http.method == "GET":
                return {"known": {**FAULTS, **STREAM_FAULTS}, "on": faults.switches, "fired": faults.fired}
            case ["faults"]:
                return faults.switch_on(**arguments)
            case ["exchange", event] if event in EVENTS:
                return getattr(self._service.exchange, event)(**_typed(arguments))
            case _ if what in self._commands:
                return self._commands[what](arguments)
            case _:
                raise KeyError(f"no command {what!r}")

    def _move_clock(self, arguments: dict[str, Any]) -> str:
        if self.advance is None:
            raise ValueError("this server was given no clock that can be moved")
        self.advance(timedelta(seconds=arguments["advance"]))
        return self._service.exchange.now().isoformat()

    def _set_quirks(self, arguments: dict[str, Any]) -> Any:
        quirks = self._service.exchange.quirks
        for name, value in arguments.items():
            if name not in quirks.__struct_fields__:
                raise KeyError(f"no quirk {name!r}; there are {', '.join(quirks.__struct_fields__)}")
            setattr(quirks, name, timedelta(seconds=value) if name in _LAGS else value)
        return quirks


def _typed(arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if name in _SEQUENCES and isinstance(value, list) else value
        for name, value in arguments.items()
    }
