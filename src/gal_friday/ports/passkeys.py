"""The two ceremonies of a passkey (WebAuthn, level 3): a new one is added, a known one signs somebody in.

What a browser is told is JSON, and so is what it answers; nothing else of the ceremony leaves the adapter.
"""

from typing import Any, Protocol

from msgspec import Struct

from gal_friday.domain.credentials import Passkey
from gal_friday.domain.errors import GalFridayError


class PasskeyRefused(GalFridayError):
    """What the browser answered proves nothing; the message does not say more than that."""


class Site(Struct, frozen=True):
    """For whom a passkey is good: a host name and the address that browsers show. Never an IP address."""

    host: str
    origin: str


class Added(Struct, frozen=True):
    """A new passkey, as the device made it."""

    id: str
    public_key: bytes
    sign_count: int


class Passkeys(Protocol):
    """Makes challenges and checks what comes back."""

    def to_add(self, site: Site, user: str, known: tuple[Passkey, ...], challenge: bytes) -> str:
        """Return the options, as JSON, with which a browser makes a passkey that works without a name typed."""
        ...

    def to_use(self, site: Site, challenge: bytes) -> str:
        """Return the options, as JSON, with which a browser asks for any passkey of this site."""
        ...

    def challenge_in(self, answer: dict[str, Any]) -> bytes:
        """Return the challenge that an answer says it is for.

        Raises:
            PasskeyRefused: it says none.
        """
        ...

    def added(self, site: Site, answer: dict[str, Any], challenge: bytes) -> Added:
        """Return the new passkey.

        Raises:
            PasskeyRefused: the answer is for another site or challenge, or is none.
        """
        ...

    def used(self, site: Site, answer: dict[str, Any], challenge: bytes, passkey: Passkey) -> int:
        """Return the new count of signatures, once it is certain that the device of *passkey* answered.

        Raises:
            PasskeyRefused: another device, site or challenge; or the count went back, as that of a copy does.
        """
        ...
