"""A row of the book says the same in its typed columns and in its text, and it is read back from the text alone."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.book_sql.rows import Reader, row_of
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.tables import BOOK_FILLS, BOOK_MOVEMENTS, BOOK_ORDERS
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill, Movement, Order, OrderSide
from gal_friday.ports.errors import BookFailed

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
special = [Decimal("0.00"), Decimal("1E+3"), Decimal("12345678901234567890.123456789012345678"), Decimal("1.50000000")]
sizes = st.decimals(min_value=0, max_value=10**30, allow_nan=False, allow_infinity=False) | st.sampled_from(special)
amounts = sizes | sizes.map(lambda size: size.copy_negate() if size else size)
zones = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
instants = st.datetimes(datetime(2001, 1, 2), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001 - the zone is beside it
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts | amounts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rest: dict[str, st.SearchStrategy[Any]] = {
    "raw": st.lists(texts, max_size=3).map(tuple),
    "extra": st.none() | st.dictionaries(texts, values, max_size=4),
}
sides = st.sampled_from(OrderSide)
fills = st.builds(
    Fill,
    fill_id=texts,
    instrument=texts.map(Instrument),
    side=sides,
    quantity=sizes,
    price=amounts,
    at=instants,
    order_id=st.none() | texts,
    fee=st.none() | amounts,
    fee_asset=st.none() | texts.map(Asset),
    cost=st.none() | amounts,
    margin=st.booleans(),
    position_id=st.none() | texts,
    **rest,
)
movements = st.builds(
    Movement,
    movement_id=texts,
    kind=texts,
    asset=texts.map(Asset),
    wallet=st.sampled_from(Wallet),
    amount=amounts,
    at=instants,
    fee=amounts,
    refers_to=st.none() | texts,
    balance_after=st.none() | amounts,
    **rest,
)
orders = st.builds(
    Order,
    order_id=st.none() | texts,
    instrument=texts.map(Instrument),
    side=sides,
    quantity=sizes,
    filled=sizes,
    status=texts,
    client_order_id=st.none() | texts,
    type=st.none() | texts,
    price=st.none() | amounts,
    opened_at=st.none() | instants,
    updated_at=st.none() | instants,
    **rest,
)
AnyRecord = Fill | Movement | Order
TABLE_OF: dict[type[AnyRecord], Table] = {Fill: BOOK_FILLS, Movement: BOOK_MOVEMENTS, Order: BOOK_ORDERS}


def again(record: AnyRecord) -> AnyRecord:
    row = row_of(TABLE_OF[type(record)], record)
    reader: Reader[Any] = Reader(type(record))
    first, second = reader.read([(row["record"], row["extra"])] * 2)
    assert first == second
    return second  # type: ignore[no-any-return]


def digits(value: object) -> object:
    """Return an amount as its digits, so that 1.50 is not 1.5; other values as they are."""
    return format(value, "f") if isinstance(value, Decimal) else value


@settings(deadline=None)
@given(fills | movements | orders)
def test_a_record_comes_back_from_its_text_to_the_last_digit(record: AnyRecord) -> None:
    read = again(record)
    assert read == record
    known = {name: value for name, value in asdict(record).items() if name != "extra"}
    assert {name: digits(getattr(read, name)) for name in known} == {name: digits(known[name]) for name in known}


@settings(deadline=None, max_examples=40)
@given(st.lists(fills | movements | orders, min_size=1, max_size=8))
def test_the_typed_columns_of_a_row_say_what_its_text_says(records: list[AnyRecord]) -> None:
    async def run() -> None:
        with TemporaryDirectory() as folder:
            engine = open_engine(f"sqlite+aiosqlite:///{folder}/book.db")
            try:
                await upgrade(engine)
                await _columns_agree(engine, records)
            finally:
                await engine.dispose()

    asyncio.run(run())


async def _columns_agree(engine: AsyncEngine, records: list[AnyRecord]) -> None:
    book = SqlBook(engine, clock=SteppedClock(T0))
    await book.append(
        account="main",
        exchange="kraken",
        fills=[one for one in records if isinstance(one, Fill)],
        movements=[one for one in records if isinstance(one, Movement)],
        orders=[one for one in records if isinstance(one, Order)],
    )
    async with engine.connect() as connection:
        for kind, table in TABLE_OF.items():
            reader: Reader[Any] = Reader(kind)
            for row in (await connection.execute(select(table))).mappings():
                (record,) = reader.read([(row["record"], row["extra"])])
                told = {name: digits(row[name]) for name in kind.__struct_fields__ if name not in {"raw", "extra"}}
                assert told == {name: digits(getattr(record, name)) for name in told}


async def test_every_row_in_a_real_database_agrees_with_itself(engine: AsyncEngine) -> None:
    await upgrade(engine)
    exact = Decimal("12345678901234567890.123456789012345678")
    fill = Fill("T1", Instrument("XRP/USD"), OrderSide.SELL, exact, Decimal("0.10"), T0, fee=Decimal("-0.00010"))
    moved = Movement("L1", "trade", Asset("XRP"), Wallet.EARN, Decimal("-1E+3"), T0 + timedelta(microseconds=1))
    order = Order(None, Instrument("XRP/USD"), OrderSide.BUY, exact, Decimal(0), "open", "c1", opened_at=T0)
    await _columns_agree(engine, [fill, moved, order])


def test_equal_zeros_of_different_length_stay_apart() -> None:
    zeros = [Decimal("0.00"), Decimal(0), Decimal("0.00")]
    rows = [
        row_of(BOOK_MOVEMENTS, Movement(f"L{at}", "trade", Asset("USD"), Wallet.SPOT, Decimal(1), T0, fee=zero))
        for at, zero in enumerate(zeros)
    ]
    read = Reader(Movement).read([(row["record"], row["extra"]) for row in rows])
    assert [str(movement.fee) for movement in read] == ["0.00", "0", "0.00"]


def test_names_and_unknown_fields_that_many_records_share_are_kept_once() -> None:
    extra = {"type": "deposit"}
    movements = [
        Movement(name, "trade", Asset("USD"), Wallet.SPOT, Decimal(1), T0, refers_to="T1", raw=("ZUSD",), extra=extra)
        for name in ("L1", "L2")
    ]
    rows = [row_of(BOOK_MOVEMENTS, movement) for movement in movements]
    first, second = Reader(Movement).read([(row["record"], row["extra"]) for row in rows])
    assert first.asset is second.asset
    assert first.kind is second.kind
    assert first.raw is second.raw
    assert first.refers_to is second.refers_to
    assert first.extra is second.extra
    assert [first, second] == movements


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"movement_id":"L2","kind":"deposit","asset":"USD","wallet":"spot","amount":"one","at":"2026-01-31T12:00:00Z"}',
        '{"movement_id":"L2","kind":"deposit","asset":"USD","wallet":"spot","amount":"NaN","at":"2026-01-31T12:00:00Z"}',
        '{"movement_id":"L2","kind":"deposit","asset":"USD","wallet":"spot","amount":"1","at":"2026-01-31T12:00:00"}',
    ],
)
async def test_a_text_that_somebody_else_wrote_is_refused_and_the_book_not_read_in_part(
    engine: AsyncEngine, text: str
) -> None:  # N1
    await upgrade(engine)
    book = SqlBook(engine, clock=SteppedClock(T0))
    movement = Movement("L1", "deposit", Asset("USD"), Wallet.SPOT, Decimal(1), T0)
    await book.append(account="main", exchange="kraken", movements=[movement])
    forged = {"entry_id": "other", "account": "main", "seq": 1, "line": 1, "added_at": T0, "record": text}
    async with engine.begin() as connection:
        await connection.execute(insert(BOOK_MOVEMENTS), row_of(BOOK_MOVEMENTS, movement) | forged)
    with pytest.raises(BookFailed, match=r"holds an entry that this program did not write .*restore it from a backup"):
        await book.export("main")


def test_the_text_is_json_that_sql_can_ask() -> None:
    fill = Fill("T1", Instrument("XRP/USD"), OrderSide.BUY, Decimal("1E+1"), Decimal("0.60"), T0, raw=("XXRPZUSD",))
    assert json.loads(row_of(BOOK_FILLS, fill)["record"]) == {
        "fill_id": "T1",
        "instrument": "XRP/USD",
        "side": "buy",
        "quantity": "10",
        "price": "0.60",
        "at": "2026-01-31T12:00:00Z",
        "margin": False,
        "raw": ["XXRPZUSD"],
    }
