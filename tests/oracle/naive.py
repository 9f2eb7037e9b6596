"""A second opinion on two small snapshot files, from the words of the documents alone.

It shares no code with what it judges: dictionaries as ``docs/snapshot-file.md`` describes them, fractions for
decimals, lists searched from end to end for every key. It says what ``docs/report.md`` promises: for each key its one
finding, with what differs by what type and how much; which parts were not checked; the verdict.

It knows no alias, no grace and no name that nobody can resolve: worlds that have none of them are enough for it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.oracle import ledger, positions
from tests.oracle.positions import FLOOR, Row, difference

Side = dict[str, Any]
Said = dict[str, tuple[str, list[Row]]]
"""What is said of each key: its finding, and every difference in it."""
KINDS = ("balances", "positions", "orders", "fills", "movements")
DIFFERENT = ("differs", "internal_only", "exchange_only")
LIVE = ("pending", "open")
LEGS = ("trade", "fee", "margin", "settlement")


def opinion(ours: Side, theirs: Side) -> Said:
    """Return what must be said of every key of either side."""
    said: Said = {
        f"sources:ledger:{asset}:{wallet}:exchange": ("differs", [{"type": "ledger_gap", "side": "exchange"}])
        for asset, wallet in ledger.broken(theirs)
    }
    doubted = ledger.denied(theirs)
    if said:
        # What a ledger lacks from which rows are missing is not taken for absent.
        theirs = {**theirs, "coverage": {**theirs["coverage"], "movements": "partial"}}
    for judge in (_balances, _holds, _positions, _orders, _fills, _movements, _sources):
        for key, finding in judge(ours, theirs):
            assert key not in said, f"{key} has two findings"
            said[key] = finding
    for asset, wallet in doubted:
        key = f"balances:{asset}:{wallet}"
        # A balance that its own ledger denies proves nothing, whether the book says the same or not.
        said[key] = {"agrees": ("pending", []), "differs": ("cannot_tell", [])}.get(said[key][0], said[key])
    return said


def gaps(ours: Side, theirs: Side) -> set[tuple[str, str]]:
    """Return which kinds were not seen in full, and on which side; nothing of kinds that nobody speaks of."""
    spoken = [kind for kind in KINDS if any(covered(side, kind) != "none" or side[kind] for side in (ours, theirs))]
    unseen = {(kind, side["side"]) for kind in spoken for side in (ours, theirs) if covered(side, kind) != "total"}
    return unseen | ({("movements", "exchange")} if ledger.broken(theirs) else set())


def silent(ours: Side, theirs: Side) -> set[tuple[str, str]]:
    """Return which side tells nothing of what orders reserve, where the other does: listed, without any weight."""
    speaks = {side["side"]: any(row.get("held") is not None for row in side["balances"]) for side in (ours, theirs)}
    return {("holds", side) for side in speaks if any(speaks.values()) and not speaks[side]}


def verdict(said: Said, missing: Iterable[object]) -> str:
    """Return the first verdict that holds."""
    findings = {finding for finding, _ in said.values()}
    if list(missing) or "cannot_tell" in findings or not said:
        return "incomplete"
    if findings & {"differs", "internal_only", "exchange_only"}:
        return "discrepancies"
    return "pending" if "pending" in findings else "reconciled"


def covered(side: Side, kind: str) -> str:
    """Return how much of a kind a side holds."""
    return str(side["coverage"].get(kind, "none"))


def net(row: Row) -> Fraction:
    """Return by how much a movement changes its wallet."""
    return Fraction(row["amount"]) - Fraction(row.get("fee") or 0)


def contents(rows: Iterable[Row]) -> list[Row]:
    """Return the different contents among rows, each once: an amount has one content however it is written."""
    different: list[Row] = []
    for row in rows:
        if all(_read(row) != _read(one) for one in different):
            different.append(row)
    return different


_AMOUNTS = ("total", "held", "quantity", "filled", "price", "average_price", "fee", "amount")


def _read(row: Row) -> Row:
    return {name: Fraction(told) if name in _AMOUNTS and told is not None else told for name, told in row.items()}


def fee_asset(fill: Row) -> str:
    """Return what the fee of a fill is paid in."""
    return str(fill.get("fee_asset") or fill["instrument"].split("/")[1])


# One key.

Differ = Callable[[Row, Row], list[Row]]


def _one(
    ours: Side, theirs: Side, kind: str, mine: list[Row], other: list[Row], differ: Differ
) -> tuple[str, list[Row]] | None:
    """Judge the rows of one key; nothing is said of what lies outside the window of the side that lacks it."""
    told = [*_repeats(ours, kind, mine), *_repeats(theirs, kind, other)]
    if mine and other:
        if "none" in (covered(ours, kind), covered(theirs, kind)):
            return "cannot_tell", []
        apart = differ(mine[0], other[0]) if len(contents(mine)) == len(contents(other)) == 1 else []
        if apart and kind == "orders" and (_newer(mine, theirs) or _newer(other, ours)):
            return "pending", []
        told += apart
        return ("differs", told) if told else ("agrees", [])
    said = _lone(ours, theirs, kind, mine or other, in_book=bool(mine))
    return (said[0], [*said[1], *told]) if said and said[1] else said


def _lone(ours: Side, theirs: Side, kind: str, rows: list[Row], *, in_book: bool) -> tuple[str, list[Row]] | None:
    has, lacks = (ours, theirs) if in_book else (theirs, ours)
    if not _in_window(kind, rows[0], ours, theirs):
        return None
    if covered(has, kind) == "none" or covered(lacks, kind) != "total":
        return "cannot_tell", []
    if any(_began(row) > _at(lacks) for row in rows):
        return "pending", []
    return ("internal_only" if in_book else "exchange_only"), [_lack(kind, rows[0], in_book)]


def _repeats(side: Side, kind: str, rows: list[Row]) -> list[Row]:
    """Tell that a side lists a key twice: a duplicate where it is the book, a conflict where the contents differ."""
    if len(contents(rows)) > 1:
        return [{"type": "identity_conflict", "side": side["side"]}]
    if len(rows) > 1 and side["side"] == "internal":
        return [{"type": f"{kind[:-1]}_duplicated", "side": "internal"}]
    return []


_LACKING = {
    ("balances", True): "balance_mismatch", ("balances", False): "balance_mismatch",
    ("positions", True): "position_missing_exchange", ("positions", False): "position_missing_internal",
    ("orders", True): "order_missing_exchange", ("orders", False): "order_not_tracked",
    ("fills", True): "fill_missing_exchange", ("fills", False): "fill_missing_internal",
    ("movements", True): "movement_missing_exchange", ("movements", False): "movement_missing_internal",
}  # fmt: skip
"""What it is called if the book has what the exchange lacks, or the other way round."""


def _lack(kind: str, row: Row, in_book: bool) -> Row:
    """Tell how much a side lacks: of a sale, which gives the base asset away, less than nothing."""
    amount = net(row) if kind == "movements" else Fraction(row["total"] if kind == "balances" else row["quantity"])
    amount = -amount if kind == "fills" and row["side"] == "sell" else amount
    return difference(_LACKING[kind, in_book], *((amount, Fraction(0)) if in_book else (Fraction(0), amount)))


def _words(kind: str, field: str, internal: str, exchange: str) -> Row:
    return {"type": kind, "field": field, "internal": internal, "exchange": exchange}


_EARLY = "1970-01-01T00:00:00Z"
"""What has no time is as old as can be."""


def _at(row: Row) -> datetime:
    """Return when something happened last."""
    told = (row.get(name) for name in ("updated_at", "opened_at", "at", "as_of"))
    return datetime.fromisoformat(next(filter(None, told), _EARLY))


def _newer(rows: list[Row], side: Side) -> bool:
    """Say whether any of them is newer than the reading of the other side."""
    return any(_at(row) > _at(side) for row in rows)


def _began(row: Row) -> datetime:
    """Return from when on the other side may know of it: an order from when it was placed."""
    return datetime.fromisoformat(row.get("opened_at") or _at(row).isoformat())


def _in_window(kind: str, row: Row, ours: Side, theirs: Side) -> bool:
    if kind == "orders" and (row["status"] in LIVE or not row.get("updated_at")):
        return True
    begins = [side["since"][kind] for side in (ours, theirs) if side.get("since", {}).get(kind)]
    return all(_at(row) >= datetime.fromisoformat(begin) for begin in begins)


def _every(
    ours: Side, theirs: Side, kind: str, name: Callable[[Row], Any]
) -> Iterable[tuple[Any, list[Row], list[Row]]]:
    """Yield each name of either side with its rows, by searching both lists again for each."""
    seen = []
    for row in [*ours[kind], *theirs[kind]]:
        if name(row) not in seen:
            seen.append(name(row))
            rows = [[one for one in side[kind] if name(one) == name(row)] for side in (ours, theirs)]
            yield name(row), rows[0], rows[1]


# Each kind.

Judged = Iterable[tuple[str, tuple[str, list[Row]]]]


def _wallet(row: Row) -> tuple[str, str]:
    return row["asset"], row.get("wallet") or "spot"


def _balances(ours: Side, theirs: Side) -> Judged:
    moving = _moving(ours, theirs)
    for (asset, wallet), mine, other in _every(ours, theirs, "balances", _wallet):
        said = _one(ours, theirs, "balances", mine, other, lambda a, b: _amounts(theirs, a, b))
        if said and said[0].endswith("_only") and _is_nothing(theirs, [*mine, *other]):
            said = ("agrees", []) if len(said[1]) == 1 else ("differs", said[1][1:])
        if said and said[0] in DIFFERENT and asset in moving:
            said = ("pending", [])
        if said:
            yield f"balances:{asset}:{wallet}", said


def _is_nothing(theirs: Side, rows: list[Row]) -> bool:
    return len(contents(rows)) == 1 and abs(Fraction(rows[0]["total"])) <= _tolerance(theirs, rows[0])


def _amounts(theirs: Side, mine: Row, other: Row) -> list[Row]:
    told = difference("balance_mismatch", Fraction(mine["total"]), Fraction(other["total"]))
    rounded = {**mine, "rounded_records": max(mine.get("rounded_records", 0), other.get("rounded_records", 0))}
    return [told] if abs(told["difference"]) > _tolerance(theirs, rounded) else []


def _tolerance(theirs: Side, row: Row) -> Fraction:
    """Return the floor, or half a unit of the exchange's last digit for each record that it may have rounded."""
    digits = theirs.get("scales", {}).get("assets", {}).get(row["asset"])
    rounding = Fraction(row.get("rounded_records", 0), 2 * 10**digits) if digits is not None else Fraction(0)
    return max(FLOOR, rounding)


def _moving(ours: Side, theirs: Side) -> set[str]:
    """Return the assets and instruments that a record newer than the other side's reading touches."""
    touched: set[str] = set()
    for side, other in ((ours, theirs), (theirs, ours)):
        for fill in side["fills"]:
            if _at(fill) > _at(other):
                touched |= {fill["instrument"], *fill["instrument"].split("/"), fee_asset(fill)}
        touched |= {row["asset"] for row in side["movements"] if _at(row) > _at(other)}
    return touched


def _holds(ours: Side, theirs: Side) -> Judged:
    """Compare what is reserved where both sides tell it of an asset."""
    for asset, mine, other in _every(ours, theirs, "balances", lambda row: row["asset"]):
        sums = []
        for rows in (mine, other):
            told = [Fraction(row["held"]) for row in contents(rows) if row.get("held") is not None]
            sums.append(sum(told, Fraction(0)) if told else None)
        if None in sums or "none" in (covered(ours, "balances"), covered(theirs, "balances")):
            continue
        told_of = difference("hold_mismatch", *sums)  # type: ignore[arg-type]
        apart = abs(told_of["difference"]) > FLOOR
        yield f"holds:{asset}", ("differs", [told_of]) if apart else ("agrees", [])


def _positions(ours: Side, theirs: Side) -> Judged:
    moving = _moving(ours, theirs)
    for instrument, mine, other in _every(ours, theirs, "positions", lambda row: row["instrument"]):
        for part, exposed, held in positions.parts(mine, other):
            said = _one(ours, theirs, "positions", exposed, held, positions.sizes)
            if said and said[0].endswith("_only") and abs((exposed or held)[0]["quantity"]) <= FLOOR:
                said = "agrees", []
            if said and said[0] in DIFFERENT and instrument in moving:
                said = "pending", []
            if said:
                yield f"positions:{instrument}:{part}", said


def _orders(ours: Side, theirs: Side) -> Judged:
    for name, mine, other in _every(ours, theirs, "orders", lambda row: row["order_id"]):
        said = _one(ours, theirs, "orders", mine, other, _terms_of_order)
        if said:
            yield f"orders:{name}", said


def _terms_of_order(mine: Row, other: Row) -> list[Row]:
    told = [
        _words("order_terms_mismatch", field, mine[field], other[field])
        for field in ("instrument", "side")
        if mine[field] != other[field]
    ]
    if mine["status"] != other["status"]:
        told.append(_words("order_state_mismatch", "status", mine["status"], other["status"]))
    for field, kind in (("quantity", "order_terms_mismatch"), ("filled", "order_state_mismatch")):
        one = difference(kind, Fraction(mine[field]), Fraction(other[field]), field)
        told += [one] if abs(one["difference"]) > FLOOR else []
    if mine.get("price") and other.get("price") and Fraction(mine["price"]) != Fraction(other["price"]):
        told.append(difference("order_terms_mismatch", Fraction(mine["price"]), Fraction(other["price"]), "price"))
    return told


def _fills(ours: Side, theirs: Side) -> Judged:
    for name, mine, other in _every(ours, theirs, "fills", lambda row: row["fill_id"]):
        said = _one(ours, theirs, "fills", mine, other, _terms_of_fill)
        if said:
            yield f"fills:{name}", said


def _terms_of_fill(mine: Row, other: Row) -> list[Row]:
    told = [
        _words("fill_mismatch", field, mine[field], other[field])
        for field in ("instrument", "side")
        if mine[field] != other[field]
    ]
    if mine.get("order_id") and other.get("order_id") and mine["order_id"] != other["order_id"]:
        told.append(_words("fill_mismatch", "order_id", mine["order_id"], other["order_id"]))
    traded = ["on margin" if row.get("margin") else "spot" for row in (mine, other)]
    told += [_words("fill_mismatch", "margin", *traded)] if traded[0] != traded[1] else []
    size = difference("fill_mismatch", Fraction(mine["quantity"]), Fraction(other["quantity"]), "quantity")
    price = difference("fill_mismatch", Fraction(mine["price"]), Fraction(other["price"]), "price")
    told += [size] if abs(size["difference"]) > FLOOR else []
    told += [price] if price["difference"] else []
    return [*told, *_fees(mine, other)]


def _fees(mine: Row, other: Row) -> list[Row]:
    """Compare fees that both sides know; one in another asset is another fee, unless both are nothing."""
    if mine.get("fee") is None or other.get("fee") is None:
        return []
    ours, theirs = Fraction(mine["fee"]), Fraction(other["fee"])
    if fee_asset(mine) != fee_asset(other):
        return [{"type": "fill_mismatch", "field": "fee"}] if ours or theirs else []
    return [difference("fill_mismatch", ours, theirs, "fee")] if abs(theirs - ours) > FLOOR else []


def _movements(ours: Side, theirs: Side) -> Judged:
    """Compare rows by their id, or what a fill moved by the fill, the asset and the wallet."""
    for name, mine, other in _every(ours, theirs, "movements", _event):
        said = _one(ours, theirs, "movements", mine, other, _moved)
        if said and said[0].endswith("_only") and not net((mine or other)[0]):
            said = ("differs", said[1][1:]) if said[1][1:] else ("agrees", [])  # what moves nothing nobody misses
        if said and len(name) > 1 and any(one["type"] == "movement_mismatch" for one in said[1]):
            # A sum of rows proves nothing where no side claims to list them all, or one may not know all of them yet.
            if {covered(side, "movements") for side in (ours, theirs)} != {"total"}:
                said = "cannot_tell", []
            elif _newer(mine, theirs) or _newer(other, ours):
                said = "pending", []
            elif not any(_in_window("movements", row, ours, theirs) for row in [*mine, *other]):
                said = None
        if said:
            yield f"movements:{':'.join(name)}", said


def _event(row: Row) -> tuple[str, ...]:
    if row["kind"] in LEGS and row.get("refers_to"):
        return row["refers_to"], *_wallet(row)
    return (row["movement_id"],)


def _moved(mine: Row, other: Row) -> list[Row]:
    told = [
        _words("movement_mismatch", field, mine[field], other[field])
        for field in ("asset", "wallet")
        if mine.get(field) != other.get(field)
    ]
    one = difference("movement_mismatch", net(mine), net(other), "amount")
    return [*told, one] if abs(one["difference"]) > FLOOR else told


def _sources(ours: Side, theirs: Side) -> Judged:
    """Hold the orders of one side against its own fills."""
    for side in (ours, theirs):
        for order in contents(side["orders"]):
            # An order that changes while it is read contradicts nothing.
            if covered(side, "orders") == "none" or _at(order) > _at(side):
                continue
            told = _contradictions(side, order)
            if told:
                yield f"sources:order:{order['order_id']}:{side['side']}", ("differs", told)


def _contradictions(side: Side, order: Row) -> list[Row]:
    filled, fills = Fraction(order["filled"]), covered(side, "fills")
    above = filled > Fraction(order["quantity"]) + FLOOR
    told = [{"type": "source_inconsistent", "side": side["side"]}] if above else []
    done = [fill for fill in contents(side["fills"]) if fill.get("order_id") == order["order_id"]]
    apart = sum((Fraction(fill["quantity"]) for fill in done), Fraction(0)) - filled
    begins = side.get("since", {}).get("fills")
    opened = order.get("opened_at") and (
        not begins or datetime.fromisoformat(order["opened_at"]) >= datetime.fromisoformat(begins)
    )
    if fills != "none" and (apart > FLOOR or (apart < -FLOOR and fills == "total" and opened)):
        told.append({"type": "order_fills_mismatch", "side": side["side"]})
    return told
