"""Records and names: what no record may be, and how unknown names survive."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from gal_friday.domain.assets import (
    Asset,
    Instrument,
    Wallet,
    base_and_quote,
    instrument,
    is_unresolved,
    unresolved_asset,
    unresolved_instrument,
)
from gal_friday.domain.errors import GalFridayError, MalformedAmount, MalformedRecord
from gal_friday.domain.records import (
    BOOKS_OWN_KINDS,
    ENDED_STATUSES,
    FILL_LEG_KINDS,
    LIVE_STATUSES,
    MOVEMENT_KINDS,
    ORDER_STATUSES,
    RECORD_KINDS,
    Balance,
    Fill,
    Kind,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
    known_movement_kind,
    known_status,
)
from gal_friday.domain.snapshot import Coverage, Coverages, Evidence, NotChecked, Scales, Since, Snapshot
from tests.domain.build import T0, balance, fill, internal, movement, order, position

XRP, PAIR, BUY, ONE = Asset("XRP"), Instrument("XRP/USD"), OrderSide.BUY, Decimal(1)
WRONG: list[Any] = [0.1, 1, float("nan"), Decimal("NaN"), Decimal("Infinity"), "1"]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    "build",
    [
        lambda wrong: Balance(XRP, Wallet.SPOT, wrong),
        lambda wrong: Balance(XRP, Wallet.SPOT, ONE, wrong),
        lambda wrong: Position(PAIR, PositionMode.NET, wrong),
        lambda wrong: Position(PAIR, PositionMode.NET, ONE, wrong),
        lambda wrong: Order("O", PAIR, BUY, wrong, ONE, "open"),
        lambda wrong: Order("O", PAIR, BUY, ONE, wrong, "open"),
        lambda wrong: Order("O", PAIR, BUY, ONE, ONE, "open", price=wrong),
        lambda wrong: Fill("T", PAIR, BUY, wrong, ONE, T0),
        lambda wrong: Fill("T", PAIR, BUY, ONE, wrong, T0),
        lambda wrong: Fill("T", PAIR, BUY, ONE, ONE, T0, fee=wrong),
        lambda wrong: Fill("T", PAIR, BUY, ONE, ONE, T0, cost=wrong),
        lambda wrong: Movement("L", "trade", XRP, Wallet.SPOT, wrong, T0),
        lambda wrong: Movement("L", "trade", XRP, Wallet.SPOT, ONE, T0, fee=wrong),
        lambda wrong: Movement("L", "trade", XRP, Wallet.SPOT, ONE, T0, balance_after=wrong),
    ],
)
def test_no_amount_is_ever_a_float_or_nan(build: Callable[[Any], object], wrong: Any) -> None:  # I1
    with pytest.raises(MalformedAmount):
        build(wrong)


def test_a_record_without_an_id_is_refused() -> None:
    with pytest.raises(MalformedRecord, match="id"):
        Fill("", PAIR, BUY, ONE, ONE, T0)
    with pytest.raises(MalformedRecord, match="id"):
        Movement("", "trade", XRP, Wallet.SPOT, ONE, T0)


def test_a_size_below_zero_is_refused() -> None:
    with pytest.raises(MalformedRecord, match="below zero"):
        Fill("T", PAIR, BUY, Decimal("-0.1"), ONE, T0)
    with pytest.raises(MalformedRecord, match="below zero"):
        Order("O", PAIR, BUY, ONE, Decimal(-1), "open")


def test_a_time_without_zone_is_refused() -> None:
    naive = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - the point of the test
    with pytest.raises(MalformedRecord, match="zone"):
        Fill("T", PAIR, BUY, ONE, ONE, naive)
    with pytest.raises(MalformedRecord, match="zone"):
        Order("O", PAIR, BUY, ONE, ONE, "open", updated_at=naive)


def test_every_refusal_can_be_caught_as_ours_and_as_a_value_error() -> None:
    for refusal in (MalformedAmount, MalformedRecord):
        assert issubclass(refusal, GalFridayError)
        assert issubclass(refusal, ValueError)


def test_owed_is_a_negative_balance_and_never_clipped() -> None:
    assert Balance(XRP, Wallet.SPOT, Decimal("-5")).total == Decimal(-5)


def test_a_name_nobody_can_resolve_survives_as_itself() -> None:  # I15
    assert unresolved_asset("XFOO") == "?XFOO"
    assert unresolved_instrument("XFOOZUSD") == "?XFOOZUSD"
    assert is_unresolved("?XFOO")
    assert not is_unresolved("FOO")
    assert unresolved_asset("BTC") != Asset("BTC")


@pytest.mark.parametrize(
    "name, parts",
    [
        ("XRP/USD", ("XRP", "USD")),
        ("AAPLx/USD:VENUE", ("AAPLx", "USD")),
        ("?XRP/USD", None),
        ("XRPUSD", None),
        ("/USD", None),
        ("XRP/", None),
        ("", None),
    ],
)
def test_an_instrument_tells_its_assets_or_says_that_it_does_not(name: str, parts: tuple[str, str] | None) -> None:
    assert base_and_quote(Instrument(name)) == parts


def test_an_instrument_has_its_venue_where_it_needs_one() -> None:
    assert instrument(Asset("XRP"), Asset("USD")) == "XRP/USD"
    assert instrument(Asset("XRP"), Asset("USD"), "FUT") == "XRP/USD:FUT"


def test_an_order_is_called_by_the_exchange_s_id_else_by_the_client_s() -> None:
    both = Order("OX", PAIR, BUY, ONE, ONE, "open", client_order_id="c1")
    client = Order(None, PAIR, BUY, ONE, ONE, "open", client_order_id="c1")
    assert (both.name, client.name, Order(None, PAIR, BUY, ONE, ONE, "open").name) == ("OX", "c1", "?")


def test_unknown_words_are_told_from_known_ones() -> None:  # I15
    assert known_status("open")
    assert not known_status("Open")
    assert known_movement_kind("rollover")
    assert not known_movement_kind("none")


NO_ID = "without an id cannot be told from another: give its id"
NAIVE = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    "build, said",
    [
        (lambda: Fill("", PAIR, BUY, ONE, ONE, T0), f"a fill {NO_ID}"),
        (lambda: Movement("", "trade", XRP, Wallet.SPOT, ONE, T0), f"a movement {NO_ID}"),
        (
            lambda: Fill("T", PAIR, BUY, Decimal("-0.1"), ONE, T0),
            "a size of -0.1 is below zero: the side tells the direction",
        ),
        (
            lambda: Order("O", PAIR, BUY, Decimal(-1), ONE, "open"),
            "a size of -1 is below zero: the side tells the direction",
        ),
        (
            lambda: Order("O", PAIR, BUY, ONE, ONE, "open", opened_at=NAIVE),
            "2026-01-31T12:00:00 has no time zone: give it in UTC",
        ),
        (
            lambda: Movement("L", "trade", XRP, Wallet.SPOT, ONE, NAIVE),
            "2026-01-31T12:00:00 has no time zone: give it in UTC",
        ),
    ],
)
def test_what_no_record_can_be_is_refused_with_the_way_out(build: Callable[[], object], said: str) -> None:
    with pytest.raises(MalformedRecord) as refused:
        build()
    assert str(refused.value) == said


def test_a_size_may_be_zero_and_a_price_below_it() -> None:
    zero = Decimal(0)
    assert Fill("T", PAIR, BUY, zero, Decimal(-37), T0).quantity == Order("O", PAIR, BUY, zero, zero, "open").filled


@pytest.mark.parametrize(
    "row, stated, unsaid",
    [
        (Balance(XRP, Wallet.SPOT, ONE), ["XRP", "spot", ONE], {"held": None, "rounded_records": 0}),
        (
            Position(PAIR, PositionMode.NET, ONE),
            ["XRP/USD", "net", ONE],
            {"average_price": None, "position_id": None, "rounded_records": 0},
        ),
        (
            Order("O", PAIR, BUY, ONE, ONE, "open"),
            ["O", "XRP/USD", "buy", ONE, ONE, "open"],
            dict.fromkeys(("client_order_id", "type", "price", "opened_at", "updated_at")),
        ),
        (
            Fill("T", PAIR, BUY, ONE, ONE, T0),
            ["T", "XRP/USD", "buy", ONE, ONE, T0],
            {**dict.fromkeys(("order_id", "fee", "fee_asset", "cost", "position_id")), "margin": False},
        ),
        (
            Movement("L", "trade", XRP, Wallet.SPOT, ONE, T0),
            ["L", "trade", "XRP", "spot", ONE, T0],
            {"fee": Decimal(0), "refers_to": None, "balance_after": None},
        ),
    ],
)
def test_what_a_record_does_not_say_is_unknown_and_never_zero(
    row: Struct, stated: list[object], unsaid: dict[str, object]
) -> None:
    fields = asdict(row)
    assert {name: fields.pop(name) for name in (*unsaid, "raw", "extra")} == {**unsaid, "raw": (), "extra": None}
    assert list(fields.values()) == stated


def test_what_a_snapshot_does_not_say_is_not_covered_and_whole_in_time() -> None:
    bare = Snapshot(side="internal", account="main", exchange="kraken", as_of=T0, coverage=Coverages())
    assert [bare.coverage.of(kind) for kind in Kind] == [Coverage.NONE] * 7
    assert [bare.since.of(kind) for kind in Kind] == [None] * 7
    assert [bare.rows(kind) for kind in Kind] == [()] * 7
    assert bare.scales == Scales(assets={}, costs={}, oldest_first=False)
    assert (bare.version, bare.not_checked, bare.notes, bare.evidence, bare.extra) == (None, (), (), (), None)
    assert Evidence("file", "aa") == Evidence("file", "aa", pages=1, rows=0, side=None)
    assert NotChecked(Kind.FILLS, "why").side is None


def test_each_kind_has_its_own_coverage_window_and_rows() -> None:
    ends = [T0.replace(hour=hour) for hour in range(3)]
    rows = [balance("BTC", "1"), position("1"), order(), fill(), movement()]
    words = [Coverage.TOTAL, Coverage.PARTIAL, Coverage.NONE, Coverage.TOTAL, Coverage.PARTIAL]
    coverage = Coverages(**dict(zip(map(str, RECORD_KINDS), words, strict=True)))
    side = internal(*rows, coverage=coverage, since=Since(orders=ends[0], fills=ends[1], movements=ends[2]))
    assert [side.coverage.of(kind) for kind in Kind] == [*words, Coverage.TOTAL, Coverage.NONE]
    assert [side.since.of(kind) for kind in Kind] == [None, None, *ends, None, None]
    assert [side.rows(kind) for kind in Kind] == [*((row,) for row in rows), (), ()]


def test_every_known_word_has_one_meaning() -> None:
    assert {"pending", "open", "filled", "canceled", "expired", "rejected"} == ORDER_STATUSES
    assert {"pending", "open"} == LIVE_STATUSES
    assert {"filled", "canceled", "expired", "rejected"} == ENDED_STATUSES
    assert {"trade", "fee", "margin", "settlement"} == FILL_LEG_KINDS
    assert {"opening", "plug"} == BOOKS_OWN_KINDS
    assert " ".join(sorted(MOVEMENT_KINDS)) == (
        "conversion credit delisting deposit earn_transfer exchange_adjustment fee margin nft opening plug reward "
        "rollover settlement trade transfer withdrawal"
    )
