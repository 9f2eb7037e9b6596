"""A signed webhook: whoever receives it can tell that it is ours, that it is fresh, and whether it came before.

    X-Gal-Friday-Key         the name of this message: drop what came before
    X-Gal-Friday-Timestamp   seconds since 1970, of this attempt: drop what is older than five minutes
    X-Gal-Friday-Signature   v1= and the HMAC-SHA256, as hex, over  timestamp "." key "." body

A new attempt at the same message has the same key and body, and another timestamp and signature. ``docs/alerts.md`` has
the ten lines that verify it.
"""

import hmac
from hashlib import sha256

import msgspec

from gal_friday.adapters.alerts import words
from gal_friday.adapters.alerts.post import Poster
from gal_friday.domain.alert import Notice
from gal_friday.ports.clock import Clock

REPLAY_SECONDS = 300
"""What receivers should call too old."""


class WebhookChannel:
    """POSTs notices as JSON, signed with a secret that both sides know."""

    def __init__(self, name: str, url: str, secret: str, clock: Clock, *, public_url: str = "") -> None:
        """Keep the address and the secret, which are never shown."""
        self.name, self._secret, self._clock, self._public_url = name, secret.encode(), clock, public_url
        self._poster = Poster(name, url, clock)

    async def send(self, notice: Notice) -> None:
        """Return when the receiver has answered with 2xx; see ``Channel``."""
        body = msgspec.json.encode(words.as_json(notice, self._public_url))
        stamp = str(int(self._clock.now().timestamp()))
        headers = {
            "X-Gal-Friday-Key": notice.key,
            "Idempotency-Key": notice.key,
            "X-Gal-Friday-Timestamp": stamp,
            "X-Gal-Friday-Signature": signature(self._secret, stamp, notice.key, body),
        }
        await self._poster.post(body, headers)

    async def close(self) -> None:
        """Close the connections; see ``Channel``."""
        await self._poster.close()


def signature(secret: bytes, stamp: str, key: str, body: bytes) -> str:
    """Return what the header of the signature says."""
    signed = b".".join((stamp.encode(), key.encode(), body))
    return f"v1={hmac.new(secret, signed, sha256).hexdigest()}"
