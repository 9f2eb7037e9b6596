"""The signature of a private call, and the key that makes it.

Source: Kraken REST documentation, Spot REST Authentication. The secret is used here and shown nowhere:
not in a repr, not in a message, not in a log.
"""

import base64
import binascii
import hashlib
import hmac

from gal_friday.ports.errors import ExchangeRefused


class Credentials:
    """A read-only API key with its secret, and the static second factor where the key demands one."""

    __slots__ = ("_otp", "_secret", "api_key")

    def __init__(self, api_key: str, secret: str, otp: str | None = None) -> None:
        """Decode the secret once, so that a mistyped one is refused before any call is made.

        Raises:
            ExchangeRefused: the key is empty or the secret is not base64.
        """
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise ExchangeRefused("the Kraken API key is empty or has unprintable characters: copy it again")
        self.api_key = api_key
        self._secret = _decoded(secret)
        self._otp = otp

    def __repr__(self) -> str:
        return "Credentials(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("credentials are not written anywhere")

    @property
    def fingerprint(self) -> str:
        """A name for this key that tells nothing about it: for file names and logs."""
        return hashlib.sha256(b"gal-friday/kraken-key/" + self.api_key.encode()).hexdigest()[:16]

    @property
    def second_factor(self) -> dict[str, str]:
        """The form field of the second factor; empty where the key needs none."""
        return {"otp": self._otp} if self._otp else {}

    def signature(self, path: str, nonce: int, body: str) -> str:
        """Return the value of the header ``API-Sign`` for this *body*, which must hold this *nonce*."""
        return sign(self._secret, path, nonce, body)


def sign(secret: bytes, path: str, nonce: int, body: str) -> str:
    """Return base64 of HMAC-SHA512 over path + SHA-256(nonce text + body text), keyed with the secret."""
    digest = hashlib.sha256(f"{nonce}{body}".encode()).digest()
    return base64.b64encode(hmac.digest(secret, path.encode() + digest, "sha512")).decode()


def _decoded(secret: str) -> bytes:
    try:
        decoded = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        # Without "from": the cause would carry the secret's text into a traceback.
        raise ExchangeRefused("the Kraken API secret is not base64: copy it again, whole") from None
    return decoded
