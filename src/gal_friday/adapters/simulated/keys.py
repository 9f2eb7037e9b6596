"""API keys of the simulated exchange: what each may do, what it has seen, how much of its budget is used.

The secrets here are made from the seed for a server on loopback. They open nothing else.
"""

import base64
from datetime import datetime

import msgspec

from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, Now, ticks_of
from gal_friday.adapters.simulated.instruments import Instruments
from gal_friday.adapters.simulated.world import World

# As GetApiKeyInfo spells them.
READ_RIGHTS = (
    "query-funds", "query-open-trades", "query-closed-trades", "query-ledger",
    "export-data", "create-ws-token",
)  # fmt: skip
TRADING_RIGHTS = ("modify-trades", "close-trades", "add-funds", "withdraw-funds")
# Kraken REST documentation, Get Websockets Token: to be used within 15 minutes.
TOKEN_SECONDS = 900


class ApiKey(msgspec.Struct):
    """One key of one account and what the exchange remembers about its use."""

    name: str
    key: str
    secret: str
    account: str
    rights: set[str]
    tier: str = "starter"
    nonce_window: int = 0
    otp: str | None = None
    query_from: int = 0
    query_to: int = 0
    valid_until: int = 0
    ip_allowlist: tuple[str, ...] = ()
    created: int = 0
    last_used: int = 0
    nonce: int = 0
    seen_nonces: set[int] = set()
    bad_in_a_row: int = 0
    locked_until: int = 0
    counter: int = 0
    counter_at: int = 0

    @property
    def secret_bytes(self) -> bytes:
        """The secret as the signature uses it."""
        return base64.b64decode(self.secret)


class Token(msgspec.Struct, frozen=True):
    """A token for the stream: whose it is, and when it was issued."""

    key: str
    issued: int


class Keys(World):
    """Issues keys, and tokens on them."""

    def __init__(self, now: Now | None = None, seed: int = 1, instruments: Instruments | None = None) -> None:
        super().__init__(now, seed, instruments)
        self.keys: dict[str, ApiKey] = {}
        self._tokens: dict[str, Token] = {}

    def issue_key(
        self, account: str, *, key: str | None = None, secret: str | None = None,
        rights: tuple[str, ...] = READ_RIGHTS, tier: str = "starter", nonce_window: int = 0,
        otp: str | None = None, query_from: datetime | None = None, query_to: datetime | None = None,
        valid_until: datetime | None = None, name: str = "reconciliation",
    ) -> ApiKey:  # fmt: skip
        """Issue a key for an account and return it; key and secret are made up unless given.

        *query_from* and *query_to* silently cut every history the key may read.
        """
        assert account in self.accounts, f"no account {account!r}"
        issued = ApiKey(
            name=name,
            key=key or base64.b64encode(self.chance.randbytes(42)).decode(),
            secret=secret or base64.b64encode(self.chance.randbytes(64)).decode(),
            account=account,
            rights=set(rights),
            tier=tier,
            nonce_window=nonce_window,
            otp=otp,
            query_from=_seconds(query_from),
            query_to=_seconds(query_to),
            valid_until=_seconds(valid_until),
            created=_seconds(self.now()),
        )
        self.keys[issued.key] = issued
        return issued

    def issue_token(self, key: str, *, age: int = 0) -> str:
        """Return a new token for the stream, *age* seconds old already."""
        now = ticks_of(self.now())
        self._tokens = {text: each for text, each in self._tokens.items() if _fresh(each, now)}
        text = self.reading_ids.token()
        self._tokens[text] = Token(key, now - age * TICKS_PER_SECOND)
        return text

    def key_of_token(self, text: str, *, in_use: bool = False) -> ApiKey | None:
        """Return the key behind a token; None where nobody issued it, or it is too old and not in use."""
        token = self._tokens.get(text)
        if token is None or not (in_use or _fresh(token, ticks_of(self.now()))):
            return None
        return self.keys.get(token.key)

    def revoke_right(self, key: str, right: str) -> None:
        """Take a right away from a key."""
        self.keys[key].rights.discard(right)


def _fresh(token: Token, now: int) -> bool:
    return now - token.issued < TOKEN_SECONDS * TICKS_PER_SECOND


def _seconds(instant: datetime | None) -> int:
    return ticks_of(instant) // TICKS_PER_SECOND if instant else 0
