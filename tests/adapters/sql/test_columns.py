"""What goes into a column comes out of it, to the last digit and microsecond."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.columns import ExactDecimal, Flag, Instant

THINGS = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("amount", ExactDecimal),
    Column("at", Instant),
    Column("flag", Flag),
    sqlite_strict=True,
)

AMOUNTS = [
    "0.1",
    "1.50000000",
    "12345678901234567890.123456789012345678",
    "9007199254740993",
    f"{'9' * 40}.{'9' * 30}",
    f"-1{'0' * 39}.{'0' * 29}1",
    f"0.{'0' * 29}1",
    "-1",
    "0",
    "0.00",
]


async def kept(engine: AsyncEngine, **row: Any) -> Any:
    async with engine.begin() as connection:
        await connection.run_sync(THINGS.metadata.create_all)
        await connection.execute(THINGS.insert(), row)
        return (await connection.execute(select(THINGS))).one()


@pytest.mark.parametrize("amount", AMOUNTS)
async def test_an_amount_keeps_every_digit(engine: AsyncEngine, amount: str) -> None:
    row = await kept(engine, amount=Decimal(amount))
    assert (type(row.amount), str(row.amount)) == (Decimal, str(Decimal(amount)))


async def test_an_amount_is_text_or_unlimited_numeric_and_never_a_float(engine: AsyncEngine) -> None:
    await kept(engine, amount=Decimal("1.10"))
    question = {
        "sqlite": "SELECT typeof(amount) || ' ' || amount FROM things",
        "postgresql": "SELECT pg_typeof(amount) || ' ' || amount || ' ' || coalesce(numeric_precision, 0) FROM things, "
        "information_schema.columns WHERE column_name = 'amount'",
    }
    async with engine.connect() as connection:
        found = (await connection.execute(text(question[engine.dialect.name]))).scalar_one()
    assert found == {"sqlite": "text 1.10", "postgresql": "numeric 1.10 0"}[engine.dialect.name]


async def test_an_exponent_is_stored_as_plain_digits(engine: AsyncEngine) -> None:
    assert format((await kept(engine, amount=Decimal("1E+3"))).amount, "f") == "1000"


@pytest.mark.parametrize("wrong", [0.1, 1, "1", Decimal("NaN"), Decimal("Infinity")])
async def test_what_is_no_exact_amount_is_refused(engine: AsyncEngine, wrong: object) -> None:
    with pytest.raises(StatementError, match=r"amount"):
        await kept(engine, amount=wrong)


async def test_an_instant_comes_back_in_utc_to_the_microsecond(engine: AsyncEngine) -> None:
    at = datetime(2026, 1, 31, 14, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    assert (await kept(engine, at=at)).at.isoformat() == "2026-01-31T12:00:00.000001+00:00"


@pytest.mark.parametrize("year", [1, 1582, 1969, 2026, 9999])
async def test_the_first_and_the_last_instants_come_back(engine: AsyncEngine, year: int) -> None:
    at = datetime(year, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
    assert (await kept(engine, at=at)).at == at


async def test_instants_sort_by_time_with_and_without_a_fraction(engine: AsyncEngine) -> None:
    first = datetime(2026, 1, 31, tzinfo=UTC)
    await kept(engine, at=first + timedelta(microseconds=1))
    async with engine.begin() as connection:
        await connection.execute(THINGS.insert(), {"at": first})
        rows = (await connection.execute(select(THINGS.c.at).order_by(THINGS.c.at))).scalars().all()
    assert rows == [first, first + timedelta(microseconds=1)]


async def test_an_instant_without_a_zone_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(StatementError, match="with a zone"):
        await kept(engine, at=datetime(2026, 1, 31))  # noqa: DTZ001 - what this test is about


@pytest.mark.parametrize("flag", [True, False, None])
async def test_a_flag_comes_back_as_a_flag(engine: AsyncEngine, flag: bool | None) -> None:
    assert (await kept(engine, flag=flag)).flag is flag
