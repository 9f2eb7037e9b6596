"""What the key itself may do, until when, from where, and which part of history it is shown.

Source: Kraken REST documentation, Get API Key Info.
"""

from datetime import UTC, datetime

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.endpoints import FORBIDDEN_RIGHTS, HARMLESS_RIGHTS, NEEDED_RIGHTS
from gal_friday.adapters.kraken.wire import Row, Where
from gal_friday.ports.errors import ExchangeRefused

_ENDPOINT = "GetApiKeyInfo"


class KeyInfo(Struct, frozen=True):
    """The exchange's description of the key in use."""

    rights: frozenset[str]
    valid_until: datetime | None = None
    query_from: datetime | None = None
    query_to: datetime | None = None
    nonce_window: str = "0"
    addresses: tuple[str, ...] = ()
    """Addresses from which the key may be used; empty means any."""

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Rights that a key for reading must not have."""
        return tuple(right for right in FORBIDDEN_RIGHTS if right in self.rights)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Rights that full reading needs and the key lacks."""
        return tuple(right for right in NEEDED_RIGHTS if right not in self.rights)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Rights that nobody here has given a meaning (I15)."""
        return tuple(sorted(self.rights.difference(NEEDED_RIGHTS, HARMLESS_RIGHTS, FORBIDDEN_RIGHTS)))

    def gaps(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """Return why this key cannot show all of the time after *since* up to *until*.

        A key so limited gives short history without any error.
        """
        reasons = []
        if self.query_from is not None and since < self.query_from:
            reasons.append(
                f"this key shows nothing before {self.query_from:%Y-%m-%d %H:%M:%S} UTC; "
                "use a key without a query window"
            )
        if self.query_to is not None and until > self.query_to:
            reasons.append(
                f"this key shows nothing after {self.query_to:%Y-%m-%d %H:%M:%S} UTC; use a key without a query window"
            )
        return tuple(reasons)


class KeyEnds(Struct, frozen=True):
    """Until when a key is valid."""

    known: bool
    at: datetime | None
    """None for ever, where it is known."""


def key_info(result: object, api_key: str) -> KeyInfo:
    """Return what the exchange says about the key that signed the call.

    Raises:
        ExchangeRefused: the answer speaks of another key.
        ExchangeMalformed: it cannot be read.
    """
    where = (_ENDPOINT, "")
    if not isinstance(result, dict):
        wire.refuse(where, "", "a description of the key was expected")
    if wire.word(result, "api_key", where) != api_key:
        raise ExchangeRefused(
            "Kraken answered for another API key than the one that asked; nothing of it was used. "
            "Check what stands between this machine and Kraken."
        )
    return KeyInfo(
        rights=frozenset(_words(result, "permissions", where)),
        valid_until=_time(result, "valid_until", where),
        query_from=_time(result, "query_from", where),
        query_to=_time(result, "query_to", where),
        nonce_window=wire.number_text(result, "nonce_window", where) if "nonce_window" in result else "0",
        addresses=tuple(each for each in _words(result, "ip_allowlist", where, needed=False) if each),
    )


def refuse_rights_to_act(info: KeyInfo) -> None:
    """Refuse a key that can do more than read.

    Raises:
        ExchangeRefused: names the rights and what to do.
    """
    if info.forbidden:
        raise ExchangeRefused(
            f"this Kraken key may do more than read ({', '.join(info.forbidden)}): take these rights away, "
            "or make a key of its own for this service with query rights only"
        )


def _words(row: Row, field: str, where: Where, *, needed: bool = True) -> tuple[str, ...]:
    value = row.get(field)
    if value is None and not needed:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        wire.refuse(where, field, "a list of texts was expected")
    return tuple(value)


def _time(row: Row, field: str, where: Where) -> datetime | None:
    if row.get(field) in (None, "", "0", 0):
        return None
    return wire.instant(wire.number_text(row, field, where), field, where).astimezone(UTC)
