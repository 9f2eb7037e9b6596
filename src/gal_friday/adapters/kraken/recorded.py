"""Calls of a recorded run: taken down as they are made, and answered again from what was taken down.

Both stand above signing and sending: what they see of a call are its endpoint and its parameters, and there is
no key, signature, nonce or second factor among them. What an answer says of the key is taken out before it is kept.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.client import Client, Params, Reply, UnknownId, WrongArguments, reply_of
from gal_friday.adapters.kraken.endpoints import GET_API_KEY_INFO, Endpoint, must_be_a_read
from gal_friday.adapters.kraken.errors import refusal
from gal_friday.adapters.kraken.listing import KnownNames
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeFailed, ExchangeMalformed, ExchangeRefused, ExchangeUnavailable
from gal_friday.ports.recordings import Failure, NotRecorded, Playing, Tape

NO_KEY = "(key)"
"""What stands for the key in a recording, and is the key of whoever plays it."""
NO_SECRET = "cmVwbGF5"  # noqa: S105 - base64 of the word replay: nothing is ever signed with it

_OTHER_KEY = "(another key)"
# Of what Kraken says about a key only what a run reads; names, the nonce and bank details are nobody's business.
_KEPT_OF_KEY = ("api_key", "permissions", "valid_until", "query_from", "query_to", "nonce_window", "ip_allowlist")

_FAILURES: Mapping[str, type[ExchangeFailed]] = {
    kind.__name__: kind
    for kind in (ExchangeFailed, ExchangeUnavailable, ExchangeRefused, ExchangeMalformed, UnknownId, WrongArguments)
}


class Recorder(Struct, frozen=True):
    """Takes down what a connector is told; *clock* is the one whose readings are taken down."""

    tape: Tape
    clock: Clock

    def around(self, client: Client, api_key: str) -> Client:
        """Return the client with every call taken down."""
        return _RecordingClient(client, self.tape, api_key)

    def gone(self, names: KnownNames) -> KnownNames:
        """Take down the *names* that were listed once and are no more, and return them."""
        self.tape.gone = msgspec.json.encode(names)
        return names


class Player(Struct, frozen=True):
    """Answers a connector from a recording; nothing is ever sent."""

    playing: Playing
    clock: Clock

    def around(self, client: Client, api_key: str) -> Client:
        """Return what answers in place of the client."""
        del client, api_key
        return _PlayedClient(self.playing)

    def gone(self, names: KnownNames) -> KnownNames:
        """Return the names that were taken down; where none were, these are all."""
        return msgspec.json.decode(self.playing.gone, type=KnownNames) if self.playing.gone else names


class _RecordingClient(Client):
    def __init__(self, client: Client, tape: Tape, api_key: str) -> None:
        self._client, self._tape, self._api_key = client, tape, api_key

    async def call(self, endpoint: Endpoint, params: Params | None = None) -> Reply:
        try:
            reply = await self._client.call(endpoint, params)
        except ExchangeFailed as failure:
            self._tape.no_answer(endpoint.name, params or {}, failure)
            raise
        self._tape.answer(endpoint.name, params or {}, _without_secrets(endpoint, reply.body, self._api_key))
        return reply

    async def close(self) -> None:
        await self._client.close()


class _PlayedClient(Client):
    def __init__(self, playing: Playing) -> None:
        self._playing = playing

    async def call(self, endpoint: Endpoint, params: Params | None = None) -> Reply:
        must_be_a_read(endpoint)
        try:
            answer = self._playing.call(endpoint.name, params or {})
        except NotRecorded as missed:
            # The recording remembers it. The rest of the run still shows where its report becomes another one.
            raise ExchangeUnavailable(f"Kraken {missed}") from missed
        if isinstance(answer, Failure):
            raise _FAILURES.get(answer.kind, ExchangeFailed)(answer.words)
        return _understood(endpoint, answer)

    async def close(self) -> None:
        """Do nothing: nothing is open."""


def _understood(endpoint: Endpoint, body: bytes) -> Reply:
    """Return what the connector reads from these bytes now; the run that recorded them could read them."""
    try:
        envelope = wire.envelope(body)
    except wire.Unreadable as error:
        raise ExchangeMalformed(f"Kraken {endpoint.name}: a recorded answer cannot be read: {error}") from error
    reply = reply_of(endpoint, envelope.result, body, refusal(list(envelope.errors)))
    if not isinstance(reply, Reply):
        raise ExchangeMalformed(f"Kraken {endpoint.name}: a recorded answer gives nothing: {reply.because}")
    return reply


def _without_secrets(endpoint: Endpoint, body: bytes, api_key: str) -> bytes:
    if endpoint == GET_API_KEY_INFO:
        body = _little_about_key(body, api_key)
    # No other answer speaks of the key. If one did its digest would be another one, and a replay would say so:
    # better than a key in a database.
    for spelled in {api_key, api_key.replace("/", "\\/")}:
        body = body.replace(spelled.encode(), NO_KEY.encode())
    return body


def _little_about_key(body: bytes, api_key: str) -> bytes:
    answer = msgspec.json.decode(body, type=dict[str, Raw])
    try:
        about = msgspec.json.decode(answer["result"], type=dict[str, Raw])
    except (KeyError, msgspec.MsgspecError):
        return msgspec.json.encode({"error": answer.get("error", Raw(b"[]")), "result": []})
    kept = {name: about[name] for name in _KEPT_OF_KEY if name in about}
    named = msgspec.json.decode(kept["api_key"]) if "api_key" in kept else None
    if isinstance(named, str) and named:
        kept["api_key"] = Raw(msgspec.json.encode(NO_KEY if named == api_key else _OTHER_KEY))
    return msgspec.json.encode({"error": answer["error"], "result": kept})
