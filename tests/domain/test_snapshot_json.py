"""The snapshot file: what goes in comes out, and what is wrong is refused with its place."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Wallet
from gal_friday.domain.errors import MalformedSnapshot
from gal_friday.domain.records import (
    Balance,
    Fill,
    Kind,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
)
from gal_friday.domain.snapshot import Coverage, Coverages, Evidence, NotChecked, Scales, Since, Snapshot
from gal_friday.domain.snapshot_json import read_snapshot, write_snapshot

FULL = b"""{
  "format": "gal-friday/snapshot/1", "side": "internal", "account": "main", "exchange": "kraken",
  "as_of": "2026-01-31T12:00:00Z",
  "coverage": {"balances": "total", "positions": "total", "orders": "partial",
               "fills": "none", "movements": "none"},
  "since": {"fills": "2026-01-30T12:00:00Z", "movements": "2026-01-30T12:00:00Z"},
  "balances":  [{"asset": "BTC", "wallet": "spot", "total": "1.50000000", "held": "0.2"}],
  "positions": [{"instrument": "XRP/USD", "mode": "net", "quantity": "-100", "average_price": "0.61"}],
  "orders":    [{"order_id": "OX", "client_order_id": "c1", "instrument": "XRP/USD", "side": "buy",
                 "type": "limit", "quantity": "100", "filled": "40", "price": "0.6", "status": "open",
                 "updated_at": "2026-01-31T11:59:00Z"}],
  "fills":     [{"fill_id": "TX", "order_id": "OX", "instrument": "XRP/USD", "side": "buy", "quantity": "40",
                 "price": "0.6", "fee": "0.06", "fee_asset": "USD", "at": "2026-01-31T11:58:00Z"}],
  "movements": [{"movement_id": "L1", "refers_to": "TX", "kind": "trade", "asset": "XRP", "wallet": "spot",
                 "amount": "40", "fee": "0", "balance_after": "140", "at": "2026-01-31T11:58:00Z"}]
}"""


def changed(**fields: Any) -> bytes:
    """Return the full file with these top-level fields in place of its own."""
    return json.dumps(json.loads(FULL) | fields).encode()


def with_row(kind: str, /, **fields: Any) -> bytes:
    """Return the full file with these fields in the first record of *kind*; None takes a field out."""
    row = json.loads(FULL)[kind][0] | fields
    return changed(**{kind: [{name: value for name, value in row.items() if value is not None}]})


def test_the_published_example_is_read_with_every_digit() -> None:
    snapshot = read_snapshot(FULL, source="book.json")
    assert str(snapshot.balances[0].total) == "1.50000000"
    assert snapshot.coverage.of(Kind.ORDERS) is Coverage.PARTIAL
    assert snapshot.since.fills == datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert snapshot.positions[0].quantity == Decimal(-100)
    assert snapshot.orders[0].client_order_id == "c1"
    assert snapshot.fills[0].fee_asset == "USD"
    assert snapshot.movements[0].balance_after == Decimal(140)


def test_a_bare_number_keeps_the_digits_a_float_would_lose() -> None:
    data = FULL.replace(b'"1.50000000"', b"12345678901234567890.123456789012345678")
    assert str(read_snapshot(data, source="x").balances[0].total) == "12345678901234567890.123456789012345678"


def test_negative_zero_is_zero() -> None:
    data = FULL.replace(b'"1.50000000"', b'"-0.00"')
    assert str(read_snapshot(data, source="x").balances[0].total) == "0"


def test_unknown_fields_are_kept_and_written_back_with_their_digits() -> None:
    data = FULL.replace(b'"account"', b'"strategy": {"size": 0.10000000000000000001, "n": [1, null]}, "account"')
    data = data.replace(b'"fill_id"', b'"liquidity": "maker", "fill_id"')
    again = read_snapshot(write_snapshot(read_snapshot(data, source="x")), source="y")
    assert again.extra == {"strategy": {"size": Decimal("0.10000000000000000001"), "n": [1, None]}}
    assert again.fills[0].extra == {"liquidity": "maker"}


def test_an_unknown_status_or_movement_kind_survives_as_itself() -> None:
    assert read_snapshot(with_row("orders", status="parked"), source="x").orders[0].status == "parked"
    assert read_snapshot(with_row("movements", kind="airdrop"), source="x").movements[0].kind == "airdrop"


def test_the_same_id_twice_is_kept_twice() -> None:
    rows = json.loads(FULL)["fills"] * 2
    assert len(read_snapshot(changed(fills=rows), source="x").fills) == 2


def test_a_kind_without_a_stated_coverage_is_not_covered_even_if_listed() -> None:
    top = json.loads(FULL)
    del top["coverage"]
    assert read_snapshot(json.dumps(top).encode(), source="x").coverage == Coverages()


def test_total_coverage_of_a_list_that_is_not_there_counts_as_not_read() -> None:  # N1
    top = json.loads(FULL)
    del top["balances"]
    snapshot = read_snapshot(json.dumps(top).encode(), source="x")
    assert snapshot.coverage.balances is Coverage.NONE
    assert [gap.kind for gap in snapshot.not_checked] == [Kind.BALANCES]
    assert '"balances": []' in snapshot.not_checked[0].reason


def test_a_balance_without_a_wallet_is_the_spot_balance() -> None:
    assert read_snapshot(with_row("balances", wallet=None), source="x").balances[0].wallet is Wallet.SPOT


def test_a_byte_order_mark_is_accepted() -> None:
    assert read_snapshot(b"\xef\xbb\xbf" + FULL, source="x") == read_snapshot(FULL, source="x")


def test_times_of_any_zone_are_the_same_instant_in_utc() -> None:
    snapshot = read_snapshot(changed(as_of="2026-01-31T14:00:00+02:00"), source="x")
    assert snapshot.as_of.isoformat() == "2026-01-31T12:00:00+00:00"


REFUSED: list[tuple[bytes, str, str]] = [
    (FULL[:-40], "", "not JSON at line"),
    (b"[]", "", "expected an object, found a list"),
    (b"\xff\xfe{", "", "not UTF-8"),
    (b"[" * 100_000, "", "nested deeper"),
    (changed(deep=json.loads("[" * 40 + "]" * 40)), "deep", "nested deeper"),
    (b"{}", "format", "no format is stated"),
    (changed(format="gal-friday/snapshot/2"), "format", "gal-friday/snapshot/1"),
    (changed(side="ours"), "side", "'ours' is none of internal, exchange"),
    (changed(account=None), "account", "missing"),
    (changed(account=7), "account", "expected text, found the number 7"),
    (changed(account="a\nb"), "account", "cannot be printed"),
    (changed(account="a" * 501), "account", "501 characters"),
    (changed(as_of="2026-01-31T12:00:00"), "as_of", "no time zone"),
    (changed(as_of="yesterday"), "as_of", "is no time"),
    (changed(as_of="0001-01-01T00:00:00+23:59"), "as_of", "is no time"),
    (changed(coverage={"fills": "all"}), "coverage.fills", "none of total, partial, none"),
    (changed(coverage={"fill": "total"}), "coverage.fill", "unknown; known are"),
    (changed(fills=None), "fills", "expected a list, found null"),
    (changed(fills={}), "fills", "expected a list, found an object"),
    (changed(fills=[1]), "fills[0]", "expected an object"),
    (changed(scales={"assets": {"BTC": "8"}}), "scales.assets.BTC", "whole number"),
    (with_row("fills", quantity=True), "fills[0].quantity", "expected an amount"),
    (with_row("fills", quantity="1,5"), "fills[0].quantity", "is no amount"),
    (with_row("fills", quantity=" 1"), "fills[0].quantity", "is no amount"),
    (with_row("fills", quantity="1_0"), "fills[0].quantity", "is no amount"),
    (with_row("fills", quantity="-1"), "fills[0].quantity", "must not be negative"),
    (with_row("fills", price="1e400"), "fills[0].price", "is no amount"),
    (with_row("fills", price=float("nan")), "fills[0].price", "the number NaN is no amount"),
    (with_row("fills", price="Infinity"), "fills[0].price", "is no amount"),
    (with_row("fills", fill_id=None), "fills[0].fill_id", "missing"),
    (with_row("fills", fill_id=""), "fills[0].fill_id", "empty"),
    (with_row("fills", side="long"), "fills[0].side", "none of buy, sell"),
    (with_row("fills", margin="no"), "fills[0].margin", "expected true or false"),
    (with_row("orders", order_id=None, client_order_id=None), "orders[0].order_id", "missing"),
    (with_row("positions", mode="both"), "positions[0].mode", "none of net, long, short, lot"),
    (with_row("positions", mode="lot"), "positions[0].position_id", "every lot needs its own"),
    (with_row("positions", mode="short"), "positions[0].quantity", "must not be negative"),
    (with_row("balances", wallet="vault"), "balances[0].wallet", "none of spot, earn"),
    (FULL.replace(b'"total": "1.5', b'"total": "9", "total": "1.5'), "balances[0].total", "stands twice"),
    (FULL.replace(b'"account"', b'"x": [{"a": 1, "a": 2}], "account"'), "x.a", "stands twice"),
    (FULL.replace(b'"account"', b'"x": "\\ud800", "account"'), "x", "lone surrogate"),
    (
        FULL.replace(b'"account"', b'"x": 1e99999999999999999999, "account"'),
        "x",
        "no number that can be kept",
    ),
    (FULL.replace(b'"account"', b'"x": NaN, "account"'), "x", "no number that can be kept"),
]


@pytest.mark.parametrize("data,place,reason", REFUSED, ids=range(len(REFUSED)))
def test_what_is_wrong_is_refused_with_file_place_and_reason(data: bytes, place: str, reason: str) -> None:
    with pytest.raises(MalformedSnapshot) as caught:
        read_snapshot(data, source="book.json")
    message = str(caught.value)
    assert message.startswith(f"book.json: {place}: " if place else "book.json: ")
    assert reason in message


def test_the_place_of_a_later_record_counts_from_zero() -> None:
    rows = json.loads(FULL)["fills"] * 4
    rows[3] = rows[3] | {"quantity": "x"}
    with pytest.raises(MalformedSnapshot, match=r"^book\.json: fills\[3\]\.quantity: "):
        read_snapshot(changed(fills=rows), source="book.json")


def test_an_instant_without_a_zone_is_not_written() -> None:
    snapshot = Snapshot(
        side="internal",
        account="a",
        exchange="k",
        as_of=datetime(2026, 1, 1),  # noqa: DTZ001 - what this test is about
        coverage=Coverages(),
    )
    with pytest.raises(MalformedSnapshot, match="no time zone"):
        write_snapshot(snapshot)


words = st.text('aB7?/:.-"\\ é漢𝄞{', min_size=1, max_size=6)
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=18).map(
    quantity.exact
)
sizes = amounts.map(quantity.absolute)
instants = st.integers(0, 10**11).map(
    lambda number: datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=9))) + timedelta(microseconds=number)
)
listed = st.lists(words, max_size=2).map(tuple)
loose = st.recursive(
    st.none() | st.booleans() | words | amounts | st.integers(-(10**17), 10**17),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
extras = st.none() | st.dictionaries(words.map("x_".__add__), loose, min_size=1, max_size=3)
maybe = st.none() | amounts
sides = st.sampled_from(OrderSide)
wallets = st.sampled_from(Wallet)
counts = st.integers(0, 99)
balances = st.builds(Balance, words, wallets, amounts, held=maybe, rounded_records=counts, raw=listed, extra=extras)
positions = st.builds(
    Position,
    words,
    st.sampled_from(PositionMode),
    sizes,
    average_price=maybe,
    position_id=words,
    rounded_records=counts,
    raw=listed,
    extra=extras,
)
orders = st.builds(
    Order,
    words,
    words,
    sides,
    sizes,
    sizes,
    words,
    client_order_id=st.none() | words,
    type=st.none() | words,
    price=maybe,
    opened_at=st.none() | instants,
    updated_at=st.none() | instants,
    raw=listed,
    extra=extras,
)
fills = st.builds(
    Fill,
    words,
    words,
    sides,
    sizes,
    amounts,
    instants,
    order_id=st.none() | words,
    fee=maybe,
    fee_asset=st.none() | words,
    cost=maybe,
    margin=st.booleans(),
    position_id=st.none() | words,
    raw=listed,
    extra=extras,
)
movements = st.builds(
    Movement,
    words,
    words,
    words,
    wallets,
    amounts,
    instants,
    fee=amounts,
    refers_to=st.none() | words,
    balance_after=maybe,
    raw=listed,
    extra=extras,
)
kinds = st.sampled_from(Kind)
covered = st.sampled_from(Coverage)
snapshot_sides = st.sampled_from(["internal", "exchange"])


def _since(snapshot: Snapshot, since: Since) -> Snapshot:
    """Return the snapshot with this window, which never begins after the reading."""
    began = {kind: getattr(since, kind) for kind in Since.__struct_fields__}
    return replace(snapshot, since=Since(**{kind: at and min(at, snapshot.as_of) for kind, at in began.items()}))


windows = st.builds(Since, orders=st.none() | instants, fills=st.none() | instants, movements=st.none() | instants)
snapshots = st.builds(
    _since,
    st.builds(
        Snapshot,
        side=snapshot_sides,
        account=words,
        exchange=words,
        as_of=instants,
        coverage=st.builds(
            Coverages, balances=covered, positions=covered, orders=covered, fills=covered, movements=covered
        ),
        balances=st.lists(balances, max_size=3).map(tuple),
        positions=st.lists(positions, max_size=3).map(tuple),
        orders=st.lists(orders, max_size=3).map(tuple),
        fills=st.lists(fills, max_size=3).map(tuple),
        movements=st.lists(movements, max_size=3).map(tuple),
        scales=st.builds(
            Scales,
            assets=st.dictionaries(words, counts, max_size=2),
            costs=st.dictionaries(words, counts, max_size=2),
        ),
        version=st.none() | words,
        not_checked=st.lists(st.builds(NotChecked, kinds, words, side=st.none() | snapshot_sides), max_size=2).map(
            tuple
        ),
        notes=listed,
        evidence=st.lists(st.builds(Evidence, words, words, pages=counts, rows=counts), max_size=2).map(tuple),
        extra=extras,
    ),
    windows,
)


@settings(max_examples=60, deadline=None)
@given(snapshots)
def test_what_was_written_is_read_back_equal(snapshot: Snapshot) -> None:
    assert read_snapshot(write_snapshot(snapshot), source="x") == snapshot


@settings(max_examples=60, deadline=None)
@given(snapshots)
def test_what_was_read_is_written_the_same_again(snapshot: Snapshot) -> None:
    written = write_snapshot(snapshot)
    assert write_snapshot(read_snapshot(written, source="x")) == written


edits = st.tuples(
    st.integers(0, len(FULL) - 1),
    st.integers(0, 30),
    st.sampled_from([b"", b"0", b"-", b'"', b"{", b"]", b"null", b"\\ud800", b"1e9", b"\xff", b"\x00", b"9" * 50]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(edits, min_size=1, max_size=4))
def test_a_damaged_file_is_read_or_refused_and_never_crashes(damage: list[tuple[int, int, bytes]]) -> None:
    data = FULL
    for at, length, instead in damage:
        data = data[:at] + instead + data[at + length :]
    try:
        read = read_snapshot(data, source="x")
    except MalformedSnapshot:
        return
    assert read_snapshot(write_snapshot(read), source="y") == read


@pytest.mark.parametrize("kind", ["orders", "fills", "movements"])
def test_a_window_that_begins_after_the_reading_hides_nothing_and_is_refused(kind: str) -> None:
    """N1: nothing would be in it, and nothing would be missed."""
    assert read_snapshot(changed(since={kind: "2026-01-31T12:00:00Z"}), source="x").since != Since()
    with pytest.raises(MalformedSnapshot, match=rf"^book\.json: since\.{kind}: later than as_of"):
        read_snapshot(changed(since={kind: "2026-01-31T12:00:00.000001Z"}), source="book.json")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9000-01-01T00:00:00Z"])
def test_a_time_that_was_never_set_is_refused(text: str) -> None:
    """N1."""
    with pytest.raises(MalformedSnapshot, match=r"fills\[0\]\.at: '.*' is no time at which anything happened"):
        read_snapshot(with_row("fills", at=text), source="x")
    assert read_snapshot(with_row("fills", at="1970-01-01T00:00:00Z"), source="x").fills
