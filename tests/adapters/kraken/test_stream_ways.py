"""Where a stream is, over which lines its token may go, and what becomes of events that nobody takes."""

import asyncio

import pytest

from gal_friday.adapters.kraken.stream import checked, stream_url_of
from gal_friday.adapters.kraken.stream_queue import EventQueue
from gal_friday.ports.errors import ExchangeRefused
from gal_friday.ports.stream import (
    Connected,
    Disconnected,
    Missed,
    StreamEvent,
)
from tests.adapters.kraken.hearing import CLOCK


def test_what_is_dropped_becomes_one_missed_behind_the_last_state() -> None:
    async def taken() -> list[StreamEvent]:
        queue = EventQueue(3)
        at = CLOCK.now()
        for event in (Connected(at), Missed("one", at), Missed("two", at), Disconnected("x", False, at), Connected(at)):
            queue.put(event)
        queue.finish()
        return [event async for event in queue.taken()]

    first, second, third = asyncio.run(taken())
    assert [type(event) for event in (first, second, third)] == [Disconnected, Missed, Connected]
    assert "3 events" in second.because  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "url, stream_url",
    [
        ("https://api.kraken.com", "wss://ws-auth.kraken.com/v2"),
        ("https://api.kraken.com/", "wss://ws-auth.kraken.com/v2"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v2"),
        ("https://kraken.example/proxy/", "wss://kraken.example/proxy/v2"),
    ],
)
def test_the_address_of_the_stream_follows_from_that_of_the_exchange(url: str, stream_url: str) -> None:
    assert stream_url_of(url) == stream_url
    assert checked(stream_url) == stream_url


@pytest.mark.parametrize(
    "stream_url",
    [
        "ws://kraken.example/v2", "https://ws-auth.kraken.com/v2", "wss://user:word@ws-auth.kraken.com/v2", "wss://",
        "wss://ws-auth.kraken.com/v2?token=x", "wss://[", "wss://ws-auth.kraken.com:port/v2",
    ],
)  # fmt: skip
def test_a_token_goes_over_no_open_line(stream_url: str) -> None:
    with pytest.raises(ExchangeRefused):
        checked(stream_url)
