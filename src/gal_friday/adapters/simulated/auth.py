"""Who asks, and may they: key, signature, nonce, second factor, rights, lockout.

The signature is base64 of HMAC-SHA512, keyed with the decoded secret, over the path and the SHA-256 digest
of nonce and body (Kraken REST documentation, Authentication).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, ticks_of
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.refusal import (
    INVALID_KEY,
    INVALID_NONCE,
    INVALID_SIGNATURE,
    LOCKED_OUT,
    PERMISSION_DENIED,
    Refused,
)

# The number five is this simulator's; Kraken documents the lockout of about fifteen minutes only.
BAD_ATTEMPTS = 5
LOCKOUT_TICKS = 15 * 60 * TICKS_PER_SECOND
NONCE_MAX = (1 << 64) - 1
# A key's window keeps this many of the nonces it has seen, far more than can be in flight.
SEEN_NONCES_MAX = 4096


def signature(secret: bytes, path: str, nonce: str, body: bytes) -> str:
    """Return the API-Sign of a request."""
    digest = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(secret, path.encode() + digest, hashlib.sha512).digest()).decode()


class Gate:
    """Lets requests in or says why not; remembers who tried in vain."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._strangers: dict[str, ApiKey] = {}

    def admit(self, path: str, headers: Mapping[str, str], params: Mapping[str, str], body: bytes) -> ApiKey:
        """Return the key behind a request whose signature, nonce and second factor are right.

        Raises:
            Refused: with the text Kraken would answer.
        """
        now = ticks_of(self._exchange.now())
        name = headers.get("api-key", "")
        key = self._exchange.keys.get(name) or self._stranger(name)
        if now < key.locked_until:
            raise Refused(LOCKED_OUT)
        self._check(key, path, headers, params, body, now)
        key.bad_in_a_row = 0
        key.last_used = now // TICKS_PER_SECOND
        return key

    def _check(
        self,
        key: ApiKey,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str],
        body: bytes,
        now: int,
    ) -> None:
        nonce = params.get("nonce", "")
        if not key.secret:
            self._count_bad(key, now, INVALID_KEY)
        expected = signature(key.secret_bytes, path, nonce, body)
        if not hmac.compare_digest(expected, headers.get("api-sign", "")):
            self._count_bad(key, now, INVALID_SIGNATURE)
        if key.valid_until and now >= key.valid_until * TICKS_PER_SECOND:
            raise Refused("EAPI:Invalid key")
        take_nonce(key, nonce)
        if key.otp is not None and params.get("otp") != key.otp:
            raise Refused(PERMISSION_DENIED)

    def _count_bad(self, key: ApiKey, now: int, text: str) -> None:
        key.bad_in_a_row += 1
        if key.bad_in_a_row >= BAD_ATTEMPTS:
            key.bad_in_a_row = 0
            key.locked_until = now + LOCKOUT_TICKS
        raise Refused(text)

    def _stranger(self, name: str) -> ApiKey:
        """Return the record of a key nobody issued, so that its attempts are counted too."""
        return self._strangers.setdefault(name, ApiKey(name="", key=name, secret="", account="", rights=set()))


def take_nonce(key: ApiKey, text: str) -> None:
    """Use up a nonce: above the last one, or inside the key's window and never used before.

    Raises:
        Refused: EAPI:Invalid nonce.
    """
    if not text.isascii() or not text.isdecimal() or int(text) > NONCE_MAX:
        raise Refused(INVALID_NONCE)
    nonce = int(text)
    late = key.nonce_window > 0 and nonce >= key.nonce - key.nonce_window and nonce not in key.seen_nonces
    if nonce <= key.nonce and not late:
        raise Refused(INVALID_NONCE)
    key.nonce = max(key.nonce, nonce)
    if key.nonce_window:
        key.seen_nonces.add(nonce)
        if len(key.seen_nonces) > SEEN_NONCES_MAX:
            key.seen_nonces = {each for each in key.seen_nonces if each >= key.nonce - key.nonce_window}
