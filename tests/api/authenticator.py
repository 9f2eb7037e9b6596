"""A device that holds passkeys, in software: what a phone or a security key does, with keys that anybody can read.

Source: Web Authentication, level 3, sections 5.8.1 (client data), 6.1 and 6.5.1 (authenticator data).
"""

import json
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey."""

    def __init__(self, passkey_id: bytes = b"\x01" * 16, *, flags: int = PRESENT | VERIFIED) -> None:
        """Make a key; *flags* is what it says of the person before it."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.flags, self.count = passkey_id, flags, 0

    def create(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """Answer the options of navigator.credentials.create."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        data = self._data(options["rp"]["id"], self.flags | ATTESTED) + attested
        client = _client("webauthn.create", options["challenge"], origin)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": _text(client), "attestationObject": _text(attestation)})

    def get(self, options: dict[str, Any], origin: str) -> dict[str, Any]:
        """Answer the options of navigator.credentials.get."""
        self.count += 1
        data = self._data(options["rpId"], self.flags)
        client = _client("webauthn.get", options["challenge"], origin)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {"clientDataJSON": _text(client), "authenticatorData": _text(data), "signature": _text(signature)}
        )

    def _data(self, site: str, flags: int) -> bytes:
        return sha256(site.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        name = _text(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _client(kind: str, challenge: str, origin: str) -> bytes:
    base64url_to_bytes(challenge)  # a browser refuses what is none
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()


def _text(data: bytes) -> str:
    return bytes_to_base64url(data)
