"""Column types that keep what they are given: exact amounts, instants in UTC, flags, whole numbers.

SQLite would keep an amount as a binary float in any column that looks numeric, even when it is bound as
text; SQLAlchemy's own ``Numeric`` would read it back changed, without a warning. So amounts are TEXT
there and NUMERIC without limits on PostgreSQL. TEXT neither sorts nor sums as numbers do: no SQL ever
orders or sums these columns.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import REAL, BigInteger, Boolean, DateTime, Dialect, Double, Integer, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class ExactDecimal(TypeDecorator[Decimal]):
    """An amount, with every digit it came with, trailing zeros included."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return unlimited NUMERIC where there is one, TEXT elsewhere."""
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored. Floats are refused: they were inexact before they came here (I1)."""
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"an amount must be a Decimal, not {type(value).__name__}: {value!r}")
        if not value.is_finite():
            raise ValueError(f"{value} is not an amount")
        return value if dialect.name == "postgresql" else format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return the amount as it was stored."""
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(value)


class Instant(TypeDecorator[datetime]):
    """An aware instant, to the microsecond; text of one width on SQLite, so that it sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return timestamptz where there is one, TEXT elsewhere."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored. An instant without a zone is refused: it could be any of 38."""
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"an instant must be a datetime with a zone, not {value!r}")
        moved = value.astimezone(UTC)
        return moved if dialect.name == "postgresql" else moved.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        if value is None:
            return None
        return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """True or false; 1 or 0 on SQLite, whose strict tables know no boolean."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return BOOLEAN where there is one, INTEGER elsewhere."""
        return dialect.type_descriptor(Boolean() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored."""
        return value if value is None or dialect.name == "postgresql" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """Return the flag."""
        return None if value is None else bool(value)


# 64 bits on both; SQLite's INTEGER has them, and its strict tables do not know the word BIGINT.
Whole: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

# How long something took: a measurement, never an amount. REAL has 8 bytes on SQLite and 4 elsewhere.
Seconds: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
