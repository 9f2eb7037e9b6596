"""One connection: what is said over it, how frames are counted, and that no bytes are ever silence."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.kraken.stream_executions import Executions
from gal_friday.adapters.kraken.stream_frames import Rows, Unknown, frame_of
from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.adapters.kraken.stream_pairs import Pairs
from gal_friday.adapters.kraken.stream_session import PING, StreamEnded, StreamSession
from gal_friday.ports.stream import Missed, OrderSeen
from tests.adapters.kraken.streamed import (
    AT,
    NAMES,
    TOKEN,
    balances,
    entry,
    executions,
    filled,
    fills,
    kinds,
    placed,
)


def session() -> StreamSession:
    seen = Seen()
    return StreamSession(TOKEN, Executions(NAMES, seen), balances(), Pairs(seen))


def frame(channel: str, kind: str, sequence: int | None, *rows: Any) -> bytes:
    numbered = {} if sequence is None else {"sequence": sequence}
    return json.dumps({"channel": channel, "type": kind, "data": rows, **numbered}).encode()


def ready() -> StreamSession:
    opened = session()
    for channel in ("executions", "balances"):
        opened.heard(frame(channel, "snapshot", 1), AT)
    assert opened.ready
    opened.outgoing.clear()
    return opened


def said(opened: StreamSession) -> list[tuple[str, str]]:
    """Return method and channel of what is to be said."""
    requests = [json.loads(message) for message in opened.outgoing]
    return [(request["method"], request.get("params", {}).get("channel", "")) for request in requests]


def test_nothing_but_listening_is_ever_said() -> None:
    opened = ready()
    opened.heard(frame("executions", "update", 9, placed()), AT)
    opened.heard(frame("balances", "update", 9, entry("L1", "1")), AT)
    assert {method for method, _ in (*said(session()), *said(opened))} == {"subscribe", "unsubscribe"}
    assert json.loads(PING) == {"method": "ping"}


def test_a_jump_is_missed_after_what_it_came_with_and_the_channel_begins_anew() -> None:
    opened = ready()
    events = opened.heard(frame("executions", "update", 4, placed()), AT)
    assert kinds(events) == [OrderSeen, Missed]
    assert said(opened) == [("unsubscribe", "executions"), ("subscribe", "executions")]
    assert not opened.ready
    assert Missed in kinds(opened.heard(frame("executions", "snapshot", 1), AT))
    assert opened.ready


def test_frames_in_order_and_frames_that_come_again_are_no_gap() -> None:
    opened = ready()
    for number in (2, 3, 3, 2, 4):
        assert Missed not in kinds(opened.heard(frame("balances", "update", number, entry(f"L{number}", "1")), AT))
    assert opened.outgoing == []


def test_a_frame_without_a_number_is_told_of_once_and_counted() -> None:
    opened = ready()
    assert Missed in kinds(opened.heard(frame("balances", "update", None, entry("L1", "1")), AT))
    assert Missed not in kinds(opened.heard(frame("balances", "update", 3, entry("L2", "2")), AT))
    assert Missed not in kinds(opened.heard(frame("balances", "update", None, entry("L3", "3")), AT))


def test_numbers_that_jump_again_and_again_end_the_connection_and_lose_no_fill() -> None:
    opened = ready()
    for _ in range(3):
        opened.heard(frame("executions", "update", 9), AT)
        opened.heard(frame("executions", "snapshot", 1), AT)
    row = filled("T1", "0.5", symbol="BTC/USD", side="buy")
    assert len(fills(opened.heard(frame("executions", "update", 9, row), AT))) == 1
    assert opened.ended is not None
    assert not opened.ended.final


@pytest.mark.parametrize(
    "error, final, token",
    [
        ("EGeneral:Permission denied", True, False),
        ("ESession:Invalid session", False, True),
        ("EAPI:Rate limit exceeded", False, False),
        (f"something about {TOKEN}", False, False),
    ],
)
def test_a_refusal_says_whether_asking_again_helps_and_never_the_token(error: str, final: bool, token: bool) -> None:
    with pytest.raises(StreamEnded) as ended:
        session().heard(json.dumps({"method": "subscribe", "success": False, "error": error, "req_id": 1}).encode(), AT)
    assert (ended.value.final, ended.value.token) == (final, token)
    assert TOKEN not in ended.value.because


def test_a_refusal_without_a_number_is_one_of_a_subscription() -> None:
    with pytest.raises(StreamEnded) as ended:
        session().heard(b'{"method": "subscribe", "success": false, "error": "EGeneral:Permission denied"}', AT)
    assert ended.value.final


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"channel": 3}', b'{"channel": "gossip", "data": []}',
        b'{"channel": "executions", "type": "update", "data": [1], "sequence": 2}',
        b'{"channel": "executions", "type": "rumour", "data": [], "sequence": 2}',
        b'{"channel": "executions", "type": "update", "data": [], "type": "snapshot", "sequence": 2}',
        b'{"channel": "status", "data": []}', b'{"method": "subscribe"}',
    ],
)  # fmt: skip
def test_a_frame_that_nobody_understands_is_missed(data: bytes) -> None:
    assert isinstance(frame_of(data), Unknown)
    assert kinds(ready().heard(data, AT)) == [Missed]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([*placed(), *filled("T", "1"), *entry("L", "1"), "wallets", "id"]), inner),
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200))
def test_any_bytes_are_missed_and_never_an_exception(data: bytes) -> None:
    assert all(isinstance(event, Missed) for event in ready().heard(data, AT))


@given(
    channel=st.sampled_from(["executions", "balances", "status", "heartbeat", "gossip"]),
    kind=st.sampled_from(["snapshot", "update", "x"]),
    data=JSON,
    sequence=JSON,
)
def test_any_json_in_any_place_is_never_an_exception(channel: str, kind: str, data: Any, sequence: Any) -> None:
    whole = {"channel": channel, "type": kind, "data": data, "sequence": sequence}
    ready().heard(json.dumps(whole).encode(), AT)


@given(st.dictionaries(st.sampled_from([*placed(), *filled("T", "1")]), JSON))
def test_any_row_is_told_or_missed(row: dict[str, Any]) -> None:
    frame_bytes = json.dumps({"channel": "executions", "type": "update", "data": [row], "sequence": 2}).encode()
    assert isinstance(frame_of(frame_bytes), Rows | Unknown)
    events = ready().heard(frame_bytes, AT)
    assert row.get("exec_type") != "trade" or events != []


@pytest.mark.parametrize("mutation", [{"order_id": "O1"}, {"exec_type": "trade"}, {}])
def test_a_row_without_id_or_step_is_missed(mutation: dict[str, str]) -> None:
    assert kinds(executions().update((mutation,), AT)) == [Missed]


@pytest.mark.parametrize("after, missed", [(2.9, False), (3, True)])
def test_a_fill_that_only_the_ledger_tells_is_missed_after_its_grace(after: float, missed: bool) -> None:
    opened = ready()
    row = entry("L1", "1", type="trade", ref_id="T9")
    assert Missed not in kinds(opened.heard(frame("balances", "update", 2, row), AT))
    later = AT + timedelta(seconds=after)
    assert (Missed in kinds(opened.heard(b'{"channel": "heartbeat"}', later))) == missed
    assert opened.heard(b'{"channel": "heartbeat"}', AT + timedelta(seconds=2.99)) == []


def test_a_fill_that_both_channels_tell_is_not_missed() -> None:
    opened = ready()
    opened.heard(frame("balances", "update", 2, entry("L1", "1", type="trade", ref_id="T9")), AT)
    row = filled("T9", "0.5", symbol="BTC/USD", side="buy")
    opened.heard(frame("executions", "update", 2, row), AT + timedelta(seconds=2))
    assert opened.heard(b'{"channel": "heartbeat"}', AT + timedelta(seconds=9)) == []
