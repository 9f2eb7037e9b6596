"""A small signing client for the tests: it knows the protocol and nothing of the server's code."""

import base64
import hashlib
import hmac
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlencode

import httpx2
import msgspec

from gal_friday.adapters.simulated import ApiKey, SimulatedKraken

DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Client:
    """Signs and sends; nonces count up from one."""

    def __init__(self, url: str, key: ApiKey, *, timeout: float = 5.0) -> None:
        self.url = url
        self.key = key
        self.nonce = 0
        self.http = httpx2.AsyncClient(base_url=url, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    def sign(self, path: str, nonce: str, body: str) -> str:
        digest = hashlib.sha256((nonce + body).encode()).digest()
        mac = hmac.new(base64.b64decode(self.key.secret), path.encode() + digest, hashlib.sha512)
        return base64.b64encode(mac.digest()).decode()

    async def raw(
        self, endpoint: str, *, nonce: int | None = None, sign: str | None = None, **params: Any
    ) -> httpx2.Response:
        self.nonce = self.nonce + 1 if nonce is None else nonce
        body = urlencode({"nonce": self.nonce, **params})
        path = f"/0/private/{endpoint}"
        headers = {
            "API-Key": self.key.key,
            "API-Sign": sign or self.sign(path, str(self.nonce), body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return await self.http.post(path, content=body, headers=headers)

    async def call(self, endpoint: str, **params: Any) -> Any:
        """Return the whole decoded answer."""
        return DECODER.decode((await self.raw(endpoint, **params)).content)

    async def read(self, endpoint: str, **params: Any) -> Any:
        """Return the result of an answer without errors."""
        answer = await self.call(endpoint, **params)
        assert answer["error"] == [], answer
        return answer["result"]

    async def errors(self, endpoint: str, **params: Any) -> Any:
        return (await self.call(endpoint, **params))["error"]

    async def public(self, endpoint: str, **params: Any) -> Any:
        """Return the result of a public endpoint."""
        answer = DECODER.decode((await self.http.get(f"/0/public/{endpoint}", params=params)).content)
        assert answer["error"] == [], answer
        return answer["result"]


def connect(server: SimulatedKraken, key: ApiKey, *, timeout: float = 5.0) -> Client:
    return Client(server.url, key, timeout=timeout)
