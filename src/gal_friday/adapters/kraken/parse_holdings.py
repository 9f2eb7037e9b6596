"""BalanceEx and OpenPositions as records. A default is never an observation: a missing amount is refused.

Source: Kraken REST documentation, Get Extended Balance and Get Open Positions.
"""

from collections import defaultdict
from decimal import Decimal

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Holding, Names
from gal_friday.adapters.kraken.wire import Row
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.quantity import negate, parse, rounded_quotient, short, subtract, total
from gal_friday.domain.records import Balance, Position, PositionMode

_BALANCES = "BalanceEx"
_POSITIONS = "OpenPositions"

# An average is a quotient and has to end somewhere; prices of a millionth of a cent keep ten good digits.
_AVERAGE_PLACES = 20

_BALANCE_FIELDS = frozenset({"balance", "hold_trade"})
_POSITION_FIELDS = frozenset({"pair", "type", "vol", "vol_closed", "cost"})


def balances(result: object, names: Names) -> tuple[Balance, ...]:
    """Return one balance per asset and wallet, ordered by both; spellings of one holding are summed.

    Raises:
        ExchangeMalformed: a row without a balance, or with one that is no amount.
    """
    groups: defaultdict[Holding, list[tuple[str, Row]]] = defaultdict(list)
    for raw, row in wire.rows_of(result, _BALANCES).items():
        groups[names.holding(raw)].append((raw, row))
    return tuple(_balance(holding, groups[holding]) for holding in sorted(groups))


def positions(result: object, names: Names) -> tuple[Position, ...]:
    """Return one lot per opening fill, ordered by instrument and id. Sizes are signed: a short is negative.

    Raises:
        ExchangeMalformed: a row that says neither buy nor sell, or lacks an amount.
    """
    rows = wire.rows_of(result, _POSITIONS)
    lots = (_position(row, name, names) for name, row in rows.items())
    return tuple(sorted(lots, key=lambda lot: (lot.instrument, lot.position_id or "")))


def _balance(holding: Holding, rows: list[tuple[str, Row]]) -> Balance:
    asset, wallet = holding
    held = [wire.amount_or_none(row, "hold_trade", (_BALANCES, raw)) for raw, row in rows]
    extra = {raw: more for raw, row in rows if (more := _others(row, _BALANCE_FIELDS))}
    return Balance(
        asset=asset,
        wallet=wallet,
        total=total(wire.amount(row, "balance", (_BALANCES, raw)) for raw, row in rows),
        # Of several spellings one may hold more than it has: only their sum means something.
        held=None if None in held else total(each for each in held if each is not None),
        raw=tuple(sorted(raw for raw, _ in rows)),
        extra=extra or None,
    )


def _position(row: Row, name: str, names: Names) -> Position:
    where = (_POSITIONS, name)
    opened = wire.amount(row, "vol", where)
    remaining = subtract(opened, wire.amount_or_zero(row, "vol_closed", where))
    pair = wire.word(row, "pair", where)
    try:
        return Position(
            instrument=names.instrument(pair),
            mode=PositionMode.LOT,
            quantity=remaining if _is_long(row, where) else negate(remaining),
            average_price=_average(wire.amount_or_none(row, "cost", where), opened),
            position_id=name,
            rounded_records=1,  # the cost is rounded once, at the opening
            raw=(pair,),
            extra=_others(row, _POSITION_FIELDS) or None,
        )
    except GalFridayError as error:
        wire.refuse_record(where, error)


def _is_long(row: Row, where: wire.Where) -> bool:
    side = wire.word(row, "type", where)
    if side not in {"buy", "sell"}:
        wire.refuse(where, "type", f"{side[:40]!r} is neither buy nor sell")
    return side == "buy"


def _average(cost: Decimal | None, opened: Decimal) -> Decimal | None:
    # Cost and size of the whole opening; what was closed took its share of both.
    if cost is None or not opened:
        return None
    return parse(short(rounded_quotient(cost, opened, _AVERAGE_PLACES)))


def _others(row: Row, known: frozenset[str]) -> Row:
    return {field: value for field, value in row.items() if field not in known}
