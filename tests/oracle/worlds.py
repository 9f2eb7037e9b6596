"""Small worlds as pairs of snapshot files: a few events, what went wrong with each, and how each side was read.

Amounts are whole numbers of hundred-millionths until they are written. Balances follow from the rows that a side has,
so that a world without a fault agrees.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Row = dict[str, Any]
Side = dict[str, Any]
UNIT = 10**8
OPENING = 1_000 * UNIT
"""What every balance of the book began with."""
T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
BEGINS = T0 - timedelta(hours=24)
KINDS = ("balances", "positions", "orders", "fills", "movements")
CASH = ("deposit", "withdrawal", "reward", "exchange_adjustment")
TRADES = ("purchase", "sale")
MARGIN = ("long", "short")
"""Trades on margin: they move no base asset, and make a position."""
FAULTS = ("none", "missing", "doubled", "wrong", "made_up")
"""Of an event: both have it; the book lacks it, has it twice, has it otherwise; only the book has it."""
TRADE_FAULTS = (*FAULTS, "other_side", "other_price", "no_fee")


class Told(NamedTuple):
    """One event: what happened, to what, how much, what went wrong in the book, how many minutes before the reading."""

    what: str
    fault: str = "none"
    size: int = UNIT
    asset: str = "XRP"
    minutes: int = 60


def written(amount: int) -> str:
    """Return so many hundred-millionths as plain digits."""
    whole, rest = divmod(abs(amount), UNIT)
    return f"{'-' * (amount < 0)}{whole}.{rest:08d}"


def instant(minutes: float) -> str:
    """Return the instant so many minutes before the reading."""
    return (T0 - timedelta(minutes=minutes)).isoformat()


def world(events: Sequence[Told], *, off: dict[str, int] | None = None) -> tuple[Side, Side]:
    """Return the book and the exchange; *off* is what the exchange's balances have beyond their rows."""
    ours, theirs = _side("internal"), _side("exchange")
    for number, told in enumerate(events):
        tell = _trade if told.what in (*TRADES, *MARGIN) else _order if told.what == "order" else _cash
        tell(told, f"{number}", ours, theirs)
    assets = sorted({row["asset"] for side in (ours, theirs) for row in side["movements"]} | {"USD", *(off or {})})
    for side in (ours, theirs):
        beyond = (off or {}) if side is theirs else {}
        side["balances"] = [_balance(side, asset, beyond.get(asset, 0)) for asset in assets]
        side["positions"] = [*_positions(side)]
    return ours, theirs


def _positions(side: Side) -> Iterable[Row]:
    """Yield what the margin fills of a side add up to, by instrument."""
    fills = [fill for fill in side["fills"] if fill.get("margin")]
    for instrument in sorted({fill["instrument"] for fill in fills}):
        mine = [fill for fill in fills if fill["instrument"] == instrument]
        size = sum(units_of(fill["quantity"]) * (1 if fill["side"] == "buy" else -1) for fill in mine)
        if size:
            yield {"instrument": instrument, "mode": "net", "quantity": written(size)}


def keeps_running_balances(side: Side) -> None:
    """Let every row tell what was there after it."""
    totals: dict[str, int] = {}
    for row in sorted(side["movements"], key=lambda row: str(row["at"])):
        moved = units_of(row["amount"]) - units_of(row["fee"])
        totals[row["asset"]] = totals.get(row["asset"], OPENING) + moved
        row["balance_after"] = written(totals[row["asset"]])


def _side(name: str) -> Side:
    return {
        "format": "gal-friday/snapshot/1", "side": name, "account": "main", "exchange": "kraken",
        "as_of": T0.isoformat(), "coverage": dict.fromkeys(KINDS, "total"),
        "since": dict.fromkeys(("orders", "fills", "movements"), BEGINS.isoformat()),
        **{kind: [] for kind in KINDS},
    }  # fmt: skip


def _balance(side: Side, asset: str, beyond: int) -> Row:
    moved = [units_of(row["amount"]) - units_of(row["fee"]) for row in side["movements"] if row["asset"] == asset]
    return {"asset": asset, "wallet": "spot", "total": written(OPENING + sum(moved) + beyond)}


def units_of(amount: str) -> int:
    """Return how many hundred-millionths these digits are."""
    return int(amount.replace(".", ""))


def _cash(told: Told, name: str, ours: Side, theirs: Side) -> None:
    sign = -1 if told.what == "withdrawal" else 1
    row = {
        "movement_id": f"L{name}", "refers_to": f"R{name}", "kind": told.what, "asset": told.asset, "wallet": "spot",
        "amount": written(sign * told.size), "fee": written(0), "at": instant(told.minutes),
    }  # fmt: skip
    other = {**row, "amount": written(sign * (told.size + UNIT // 4))}
    _tell("movements", told.fault, row, other, ours, theirs)


def _tell(kind: str, fault: str, row: Row, other: Row, ours: Side, theirs: Side) -> None:
    """Write a row down on both sides, as the fault has it; *other* is what the book has where it is wrong."""
    booked = {"none": [row], "missing": [], "doubled": [row, dict(row)], "made_up": [row]}.get(fault, [other])
    ours[kind] += booked
    theirs[kind] += [] if fault == "made_up" else [dict(row)]


def _trade(told: Told, name: str, ours: Side, theirs: Side) -> None:
    """Tell of an order that was filled at once: two rows beside the fill, under ids of their own on each side."""
    price, quote, other = 2 * UNIT, "USD", "buy" if _side_of(told) == "sell" else "sell"
    fill: Row = {
        "fill_id": f"T{name}", "order_id": f"O{name}", "instrument": f"{told.asset}/{quote}", "side": _side_of(told),
        "quantity": written(told.size), "price": written(price), "fee": written(UNIT // 100), "fee_asset": quote,
        "at": instant(told.minutes),
    }  # fmt: skip
    fill |= {"margin": True} if told.what in MARGIN else {}
    changes: Row = {
        "wrong": {"quantity": written(told.size * 10)}, "other_side": {"side": other},
        "other_price": {"price": written(price + UNIT // 2)}, "no_fee": {"fee": written(0)},
    }.get(told.fault, {})  # fmt: skip
    _tell("fills", told.fault, fill, {**fill, **changes}, ours, theirs)
    for side, tag in ((ours, "B"), (theirs, "L")):
        for row in side["fills"]:
            if row["fill_id"] == fill["fill_id"]:
                side["movements"] += _rows(row, f"{tag}{name}")
    if told.fault != "made_up":
        order = _order_row(f"O{name}", fill["instrument"], told, filled=written(told.size), status="filled")
        known = {**order, "filled": written(0), "status": "open", "updated_at": order["opened_at"]}
        ours["orders"].append(known if told.fault == "missing" else order)
        theirs["orders"].append(dict(order))


def _side_of(told: Told) -> str:
    return "sell" if told.what in ("sale", "short") else "buy"


def _rows(fill: Row, name: str) -> Iterable[Row]:
    """Return what a fill moved: both rows of a second copy bear the same ids as those of the first."""
    base, quote = fill["instrument"].split("/")
    sign = 1 if fill["side"] == "buy" else -1
    size, price = units_of(fill["quantity"]), units_of(fill["price"])
    legs = (("a", base, sign * size, 0), ("b", quote, -sign * size * price // UNIT, units_of(fill["fee"])))
    kind = "margin" if fill.get("margin") else "trade"
    for tag, asset, amount, fee in [("b", quote, 0, units_of(fill["fee"]))] if kind == "margin" else legs:
        yield {
            "movement_id": f"{name}{tag}", "refers_to": fill["fill_id"], "kind": kind, "asset": asset,
            "wallet": "spot", "amount": written(amount), "fee": written(fee), "at": fill["at"],
        }  # fmt: skip


def _order(told: Told, name: str, ours: Side, theirs: Side) -> None:
    """Tell of an order that rests; where it is wrong, it was canceled and the book believes it open."""
    row = _order_row(f"O{name}", f"{told.asset}/USD", told, filled=written(0), status="open")
    if told.fault == "wrong":
        ours["orders"].append(row)
        theirs["orders"].append({**row, "status": "canceled", "updated_at": instant(told.minutes - 1)})
    else:
        _tell("orders", told.fault, row, row, ours, theirs)


def _order_row(name: str, instrument: str, told: Told, *, filled: str, status: str) -> Row:
    return {
        "order_id": name, "client_order_id": f"bot-{name}", "instrument": instrument, "side": _side_of(told),
        "type": "limit", "quantity": written(told.size), "filled": filled, "price": written(2 * UNIT), "status": status,
        "opened_at": instant(told.minutes * 2), "updated_at": instant(told.minutes),
    }  # fmt: skip
