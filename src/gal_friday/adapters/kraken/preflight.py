"""A look at everything that must be right before a run, one line each. A finding never raises.

Source: Kraken REST documentation, Get API Key Info and Get System Status; Kraken support, API rate limits.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from gal_friday.adapters.kraken.client import Client
from gal_friday.adapters.kraken.endpoints import (
    BALANCE_EX,
    CLOSED_ORDERS,
    GET_API_KEY_INFO,
    LEDGERS,
    OPEN_ORDERS,
    OPEN_POSITIONS,
    STREAM_RIGHT,
    TRADE_BALANCE,
    TRADES_HISTORY,
)
from gal_friday.adapters.kraken.key import KeyInfo
from gal_friday.adapters.kraken.opening import ask_about_key, clock_offset, system_status
from gal_friday.adapters.kraken.rate import tier_named
from gal_friday.adapters.kraken.session import CLOCK_FAR_OFF, clock_says
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeFailed
from gal_friday.ports.exchange import Check

OK, WARNING, FAILED = "ok", "warning", "failed"

# Key, ledger head, state, one page of each list, ledger head again. What differs is asked for once more, by its id.
_CYCLE = (
    GET_API_KEY_INFO,
    LEDGERS,
    BALANCE_EX,
    OPEN_POSITIONS,
    TRADE_BALANCE,
    OPEN_ORDERS,
    CLOSED_ORDERS,
    LEDGERS,
    TRADES_HISTORY,
    LEDGERS,
)
CYCLE_COST = sum(endpoint.cost for endpoint in _CYCLE)

_CLOCK_WARNING = timedelta(seconds=5)
_EXPIRES_SOON = timedelta(days=14)


async def preflight(
    client: Client, clock: Clock, *, api_key: str, tier: str, allow_trading_key: bool, stream: bool = False
) -> tuple[Check, ...]:
    """Return what was found, in the order in which it was looked at."""
    checks = [
        await _looked("status", lambda: _status(client)),
        await _looked("clock", lambda: _clock(client, clock)),
    ]
    try:
        info = await ask_about_key(client, api_key)
    except ExchangeFailed as error:
        checks.append(Check("key", FAILED, str(error)))
    else:
        checks += _about_key(info, clock.now(), allow_trading_key)
        checks += [_stream(info)] if stream else []
    return (*checks, _budget(tier))


async def _looked(name: str, look: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return await look()
    except ExchangeFailed as error:
        return Check(name, FAILED, str(error))


async def _status(client: Client) -> Check:
    status = await system_status(client)
    if status.word == "online":
        return Check("status", OK, "Kraken is online")
    if status.readable:
        return Check("status", WARNING, f"Kraken says {status.word}; reads go on")
    return Check("status", FAILED, f"Kraken says {status.word}; run again later")


async def _clock(client: Client, clock: Clock) -> Check:
    offset = await clock_offset(client, clock)
    if abs(offset) >= CLOCK_FAR_OFF:
        return Check("clock", FAILED, clock_says(offset))
    if abs(offset) >= _CLOCK_WARNING:
        return Check("clock", WARNING, clock_says(offset))
    return Check("clock", OK, "this clock and Kraken's agree to the second")


def _about_key(info: KeyInfo | None, now: datetime, allow_trading_key: bool) -> list[Check]:
    if info is None:
        return [Check("key", WARNING, "Kraken does not tell about this key; look at its rights on the website")]
    return [
        _rights_to_act(info, allow_trading_key),
        _rights_to_read(info),
        _expiry(info, now),
        _window(info, now),
        _addresses(info),
        _nonce_window(info),
    ]


def _rights_to_act(info: KeyInfo, allow_trading_key: bool) -> Check:
    if not info.forbidden and info.unknown:
        named = ", ".join(info.unknown)
        detail = f"nobody here knows what {named} allows; take it away if it is more than reading"
        return Check("key can only read", WARNING, detail)
    if not info.forbidden:
        return Check("key can only read", OK, "the key can neither trade nor move money")
    outcome = WARNING if allow_trading_key else FAILED
    return Check(
        "key can only read",
        outcome,
        f"the key has {', '.join(info.forbidden)}; make a key of its own with query rights only",
    )


def _rights_to_read(info: KeyInfo) -> Check:
    if info.lacking:
        return Check("key rights", FAILED, f"the key lacks {', '.join(info.lacking)}; give it these rights")
    return Check("key rights", OK, "the key may read funds, orders, trades and ledger")


def _stream(info: KeyInfo | None) -> Check:
    if info is None:
        return Check("stream", WARNING, f"Kraken does not tell whether this key may open the stream ({STREAM_RIGHT})")
    if STREAM_RIGHT not in info.rights:
        return Check("stream", FAILED, f"the key lacks {STREAM_RIGHT}; give it this right, or set stream = false")
    return Check("stream", OK, "the key may open the private stream")


def _expiry(info: KeyInfo, now: datetime) -> Check:
    if info.valid_until is None:
        return Check("key expiry", OK, "the key does not expire")
    day = f"{info.valid_until:%Y-%m-%d %H:%M} UTC"
    if info.valid_until <= now:
        return Check("key expiry", FAILED, f"the key expired on {day}; make a new one")
    if info.valid_until - now < _EXPIRES_SOON:
        return Check("key expiry", WARNING, f"the key expires on {day}; make a new one in time")
    return Check("key expiry", OK, f"the key is valid until {day}")


def _window(info: KeyInfo, now: datetime) -> Check:
    if info.query_to is not None and info.query_to <= now:
        return Check("query window", FAILED, info.gaps(now, now)[-1])
    if info.query_from is not None or info.query_to is not None:
        limits = info.gaps(datetime.min.replace(tzinfo=now.tzinfo), datetime.max.replace(tzinfo=now.tzinfo))
        return Check("query window", WARNING, "; ".join(limits))
    return Check("query window", OK, "the key is shown all of history")


def _addresses(info: KeyInfo) -> Check:
    if not info.addresses:
        return Check("addresses", WARNING, "the key can be used from anywhere; limit it to this machine's address")
    return Check("addresses", OK, f"the key can be used from {', '.join(info.addresses)} only")


def _nonce_window(info: KeyInfo) -> Check:
    return Check("nonce window", OK, f"the nonce window of the key is {info.nonce_window}; calls are made in order")


def _budget(tier: str) -> Check:
    limits = tier_named(tier)
    if limits is None:
        return Check("call budget", OK, "no limit is kept")
    return Check(
        "call budget",
        OK,
        f"one run costs {CYCLE_COST:g} points or more, the counter holds {limits.maximum:g} (tier {tier}); "
        f"a run can start every {CYCLE_COST / limits.decay:.0f} s at most",
    )
