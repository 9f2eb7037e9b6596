"""The snapshot file to the last character: each field is one of a record, and each refusal says which and why."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.errors import MalformedSnapshot
from gal_friday.domain.exact_json import Unreadable, parsed
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, OrderSide, Position, PositionMode
from gal_friday.domain.snapshot import Coverage, Coverages, Evidence, NotChecked, Scales, Since, Snapshot
from gal_friday.domain.snapshot_json import read_snapshot, record_reader, write_snapshot, written_record
from tests.domain.build import D

BTC, USD, PAIR = Asset("BTC"), Asset("USD"), Instrument("BTC/USD")

WHOLE = """{
  "format": "gal-friday/snapshot/1",
  "side": "exchange",
  "account": "main",
  "exchange": "kraken",
  "as_of": "2026-01-31T12:00:00Z",
  "coverage": {"balances":"total","positions":"partial","orders":"none","fills":"total","movements":"partial"},
  "since": {"orders":"2026-01-31T01:00:00Z","fills":"2026-01-31T02:00:00Z","movements":"2026-01-31T03:00:00Z"},
  "scales": {"assets":{"BTC":8},"costs":{"BTC/USD":5},"oldest_first":true},
  "version": "L9",
  "not_checked": [
    {"kind":"orders","reason":"two\\nlines","side":"internal"},
    {"kind":"holds","reason":"why"}
  ],
  "notes": [
    "seen twice"
  ],
  "evidence": [
    {"source":"a file","digest":"aa","pages":2,"rows":3}
  ],
  "strategy": {"size":0.10},
  "balances": [
    {"asset":"BTC","wallet":"earn","total":"1.50","held":"0.2","rounded_records":4,"listed_as":["XXBT","BTC.F"],"x":1}
  ],
  "positions": [
    {"instrument":"BTC/USD","mode":"lot","quantity":"-1","average_price":"60000.10",\
"position_id":"P1","rounded_records":5,"listed_as":["XBTUSD"],"x":1}
  ],
  "orders": [
    {"order_id":"O1","client_order_id":"c1","instrument":"BTC/USD","side":"sell",\
"type":"limit","quantity":"3","filled":"2","price":"61000",\
"status":"open","opened_at":"2026-01-31T10:00:00Z","updated_at":"2026-01-31T11:00:00.000001Z",\
"listed_as":["XBTUSD"],"x":1}
  ],
  "fills": [
    {"fill_id":"T1","order_id":"O1","instrument":"BTC/USD","side":"buy","quantity":"1","price":"60000",\
"cost":"59999.99","fee":"-0.5","fee_asset":"USD","margin":true,"position_id":"P1",\
"at":"2026-01-31T11:30:00Z","listed_as":["XBTUSD"],"x":1}
  ],
  "movements": [
    {"movement_id":"L1","refers_to":"T1","kind":"trade","asset":"USD","wallet":"futures",\
"amount":"-60000","fee":"0.00000001","balance_after":"7","at":"2026-01-31T11:30:00Z","listed_as":["ZUSD"],"x":1}
  ]
}
"""


def utc(hour: int, minute: int = 0, micro: int = 0) -> datetime:
    return datetime(2026, 1, 31, hour, minute, 0, micro, tzinfo=UTC)


MORE: dict[str, Any] = {"raw": ("XBTUSD",), "extra": {"x": 1}}
READ = Snapshot(
    side="exchange",
    account="main",
    exchange="kraken",
    as_of=utc(12),
    coverage=Coverages(
        balances=Coverage.TOTAL,
        positions=Coverage.PARTIAL,
        orders=Coverage.NONE,
        fills=Coverage.TOTAL,
        movements=Coverage.PARTIAL,
    ),
    since=Since(orders=utc(1), fills=utc(2), movements=utc(3)),
    scales=Scales(assets={BTC: 8}, costs={PAIR: 5}, oldest_first=True),
    version="L9",
    not_checked=(NotChecked(Kind.ORDERS, "two\nlines", "internal"), NotChecked(Kind.HOLDS, "why")),
    notes=("seen twice",),
    evidence=(Evidence("a file", "aa", 2, 3),),
    extra={"strategy": {"size": D("0.10")}},
    balances=(Balance(BTC, Wallet.EARN, D("1.50"), D("0.2"), 4, ("XXBT", "BTC.F"), {"x": 1}),),
    positions=(Position(PAIR, PositionMode.LOT, D(-1), D("60000.10"), "P1", 5, **MORE),),
    orders=(
        Order("O1", PAIR, OrderSide.SELL, D(3), D(2), "open", "c1", "limit", D(61000), utc(10), utc(11, 0, 1), **MORE),
    ),
    fills=(
        Fill(
            *("T1", PAIR, OrderSide.BUY, D(1), D(60000), utc(11, 30), "O1"),
            fee=D("-0.5"),
            fee_asset=USD,
            cost=D("59999.99"),
            margin=True,
            position_id="P1",
            **MORE,
        ),
    ),
    movements=(
        Movement(
            *("L1", "trade", USD, Wallet.FUTURES, D(-60000), utc(11, 30), D("1E-8"), "T1", D(7)),
            raw=("ZUSD",),
            extra={"x": 1},
        ),
    ),
)


def test_every_field_of_the_file_is_read_into_its_own() -> None:
    assert read_snapshot(WHOLE.encode(), source="x") == READ


def test_the_file_is_written_field_by_field_in_its_order_one_record_a_line() -> None:
    assert write_snapshot(READ).decode() == WHOLE


def test_what_a_side_does_not_say_is_not_written() -> None:
    covered = Coverages(balances=Coverage.PARTIAL, orders=Coverage.TOTAL)
    bare = Snapshot(side="internal", account="main", exchange="kraken", as_of=utc(12), coverage=covered)
    assert write_snapshot(bare).decode() == (
        '{\n  "format": "gal-friday/snapshot/1",\n  "side": "internal",\n  "account": "main",\n'
        '  "exchange": "kraken",\n  "as_of": "2026-01-31T12:00:00Z",\n'
        '  "coverage": {"balances":"partial","positions":"none","orders":"total","fills":"none","movements":"none"},\n'
        '  "since": {},\n  "scales": {"assets":{},"costs":{},"oldest_first":false},\n'
        '  "balances": [],\n  "orders": []\n}\n'
    )


def test_an_unknown_field_never_overwrites_a_known_one() -> None:
    row = Balance(BTC, Wallet.SPOT, D(1), extra={"total": "9", "asset": "X", "new": 1})
    known = {"asset": "BTC", "wallet": "spot", "total": "1", "rounded_records": 0}
    assert written_record("balances", row) == {**known, "new": 1}


LEAST: dict[str, dict[str, Any]] = {
    "balances": {"asset": "BTC", "total": "1"},
    "positions": {"instrument": "BTC/USD", "mode": "net", "quantity": "1"},
    "orders": {
        "client_order_id": "c1", "instrument": "BTC/USD", "side": "buy", "quantity": "1", "filled": "0",
        "status": "open",
    },
    "fills": {
        "fill_id": "T1", "instrument": "BTC/USD", "side": "buy", "quantity": "1", "price": "2",
        "at": "2026-01-31T11:30:00Z",
    },
    "movements": {
        "movement_id": "L1", "kind": "reward", "asset": "BTC", "amount": "1", "at": "2026-01-31T11:30:00Z",
    },
}  # fmt: skip


def row_of(kind: str, /, **fields: Any) -> Any:
    """Return the least that a record of this kind has to say, changed, as a file would hold it."""
    row = {name: value for name, value in (LEAST[kind] | fields).items() if value is not ...}
    return parsed(json.dumps(row).encode())


def test_the_least_that_a_record_says_is_enough() -> None:
    assert [record_reader(kind)(row_of(kind)) for kind in LEAST] == [
        Balance(BTC, Wallet.SPOT, D(1)),
        Position(PAIR, PositionMode.NET, D(1)),
        Order(None, PAIR, OrderSide.BUY, D(1), D(0), "open", "c1"),
        Fill("T1", PAIR, OrderSide.BUY, D(1), D(2), utc(11, 30)),
        Movement("L1", "reward", BTC, Wallet.SPOT, D(1), utc(11, 30)),
    ]


@pytest.mark.parametrize(
    "kind, name", [(kind, name) for kind, row in LEAST.items() for name in row if name != "client_order_id"]
)
@pytest.mark.parametrize("given", [..., None])
def test_what_no_record_can_do_without_is_asked_for(kind: str, name: str, given: Any) -> None:
    with pytest.raises(Unreadable) as refused:
        record_reader(kind)(row_of(kind, **{name: given}))
    assert (refused.value.place, refused.value.reason) == (name, "missing, and nothing can stand in for it")


BAD_ROWS = [
    ("orders", {"client_order_id": None}, "order_id", "missing, and there is no client_order_id either"),
    ("orders", {"quantity": "-1"}, "quantity", "must not be negative: side or mode tells the direction"),
    ("orders", {"filled": "-1"}, "filled", "must not be negative: side or mode tells the direction"),
    ("fills", {"quantity": "-1"}, "quantity", "must not be negative: side or mode tells the direction"),
    ("positions", {"mode": "lot"}, "position_id", "missing; every lot needs its own"),
    ("positions", {"mode": "long", "quantity": "-1"}, "quantity", "must not be negative where mode is long"),
    ("positions", {"mode": "short", "quantity": "-1"}, "quantity", "must not be negative where mode is short"),
    ("positions", {"mode": "both"}, "mode", "'both' is none of net, long, short, lot"),
    ("balances", {"listed_as": [7]}, "listed_as[0]", "expected text, found the number 7"),
    ("balances", {"wallet": "x"}, "wallet", "'x' is none of spot, earn, bonded, held, futures, in_transit"),
    ("balances", {"rounded_records": "1"}, "rounded_records", "expected a whole number such as 8, found '1'"),
    ("fills", {"margin": 1}, "margin", "expected true or false, found the number 1"),
    ("fills", {"order_id": ""}, "order_id", "empty; give it or leave the field out"),
]


@pytest.mark.parametrize("kind, fields, place, reason", BAD_ROWS)
def test_a_record_that_cannot_be_is_refused(kind: str, fields: dict[str, Any], place: str, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        record_reader(kind)(row_of(kind, **fields))
    assert (refused.value.place, refused.value.reason) == (place, reason)


@pytest.mark.parametrize("mode, quantity", [("net", "-1"), ("long", "0"), ("short", "0")])
def test_a_position_of_each_mode_has_its_sign(mode: str, quantity: str) -> None:
    found = record_reader("positions")(row_of("positions", mode=mode, quantity=quantity))
    assert found == Position(PAIR, PositionMode(mode), D(quantity))


KINDS = "balances, positions, orders, fills, movements"
BAD_FILES: list[tuple[dict[str, Any], str]] = [
    ({"format": ...}, 'format: no format is stated; this version reads "gal-friday/snapshot/1"'),
    ({"format": 2}, 'format: unknown format the number 2; this version reads "gal-friday/snapshot/1"'),
    ({"side": ...}, "side: missing, and nothing can stand in for it"),
    ({"account": None}, "account: missing, and nothing can stand in for it"),
    ({"exchange": ...}, "exchange: missing, and nothing can stand in for it"),
    ({"as_of": ...}, "as_of: missing, and nothing can stand in for it"),
    ({"side": "ours"}, "side: 'ours' is none of internal, exchange"),
    ({"coverage": {"orders": "all"}}, "coverage.orders: 'all' is none of total, partial, none"),
    ({"coverage": {"holds": "total"}}, f"coverage.holds: unknown; known are {KINDS}"),
    ({"since": {"balances": None}}, "since.balances: unknown; known are orders, fills, movements"),
    (
        {"since": {"orders": "2026-01-31T12:00:00.000001Z"}},
        "since.orders: later than as_of, so nothing can have been read; state when the window began",
    ),
    ({"scales": {"asset": {}}}, "scales.asset: unknown; known are assets, costs, oldest_first"),
    ({"scales": {"costs": {"A/B": -1}}}, "scales.costs.A/B: expected a whole number such as 8, found the number -1"),
    ({"scales": {"oldest_first": 1}}, "scales.oldest_first: expected true or false, found the number 1"),
    ({"version": 7}, "version: expected text, found the number 7"),
    ({"not_checked": [{"kind": "fills"}]}, "not_checked[0].reason: missing, and nothing can stand in for it"),
    ({"not_checked": [{"reason": "x"}]}, "not_checked[0].kind: missing, and nothing can stand in for it"),
    ({"not_checked": [{"why": "x"}]}, "not_checked[0].why: unknown; known are kind, reason, side"),
    ({"notes": ["a", 1]}, "notes[1]: expected text, found the number 1"),
    ({"evidence": [{"source": "x"}]}, "evidence[0].digest: missing, and nothing can stand in for it"),
    ({"evidence": [{"digest": "x"}]}, "evidence[0].source: missing, and nothing can stand in for it"),
    ({"evidence": [{"side": "internal"}]}, "evidence[0].side: unknown; known are source, digest, pages, rows"),
    ({"fills": [{}, 1]}, "fills[0].fill_id: missing, and nothing can stand in for it"),
    ({"fills": {}}, "fills: expected a list, found an object; write [] if there are none"),
]


def file_of(**fields: Any) -> bytes:
    least = {"format": "gal-friday/snapshot/1", "side": "internal", "account": "main", "exchange": "kraken"}
    whole = least | {"as_of": "2026-01-31T12:00:00Z"} | fields
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


@pytest.mark.parametrize("fields, said", BAD_FILES)
def test_a_file_that_cannot_be_read_says_where_and_why(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedSnapshot) as refused:
        read_snapshot(file_of(**fields), source="book.json")
    assert str(refused.value) == f"book.json: {said}"


def test_a_file_without_a_name_is_told_by_its_place_alone() -> None:
    with pytest.raises(MalformedSnapshot, match=r"^expected an object, found a list$"):
        read_snapshot(b"[]", source="")


def test_lists_that_are_not_there_are_named_one_by_one_behind_what_the_file_says() -> None:  # N1
    gap = {"kind": "holds", "reason": "not told"}
    found = read_snapshot(
        file_of(coverage={"orders": "total", "balances": "total", "fills": "partial"}, not_checked=[gap], orders=[]),
        source="x",
    )
    reason = 'coverage says total, but the file has no list of balances; write "balances": [] if there are none'
    assert found.not_checked == (NotChecked(Kind.HOLDS, "not told"), NotChecked(Kind.BALANCES, reason))
    assert found.coverage == Coverages(orders=Coverage.TOTAL, fills=Coverage.PARTIAL)


def test_what_cannot_be_written_says_whose_snapshot_it_is() -> None:
    bare: dict[str, Any] = {"side": "internal", "exchange": "kraken", "coverage": Coverages()}
    naive = datetime(2026, 1, 31)  # noqa: DTZ001 - what is refused
    said = r"^snapshot of 'main' cannot be written: 2026-01-31T00:00:00 has no time zone$"
    with pytest.raises(MalformedSnapshot, match=said):
        write_snapshot(Snapshot(account="main", as_of=naive, **bare))
