"""Two sides with balances and the records behind them, and what the comparison alone says of them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.forms import FORMS, Name
from gal_friday.bulk.judge import Judged
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.finding import Agrees
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Since, Snapshot
from gal_friday.domain.snapshot_json import record_reader
from gal_friday.flows.reconcile_many import Outcome, reconcile_many
from tests.bulk.worlds import NOW, POLICY, PRICES, Line, written
from tests.bulk.worlds import TERMS as BALANCES

Cells = Mapping[str, str]
ACCOUNTS = ("a", "b", "B")
_DAY = NOW - timedelta(days=1)
KINDS = (Kind.BALANCES, *(form.kind for form in FORMS.values()))


class Held(Struct, frozen=True):
    """What a side holds of each account: balances, and rows of each kind of record."""

    balances: dict[str, dict[str, Decimal]]
    rows: Mapping[Name, Sequence[tuple[str, Cells]]]


RecordWorld = Mapping[Side, Held]
_Line = tuple[Name, str, Cells]


def _at(minute: int) -> str:
    return (_DAY + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


EVENTS = ("trade", "margin", "transfer", "deposit", "reward")


def _event(what: str, name: str, amount: str, minute: int) -> Sequence[tuple[Name, Cells]]:
    """Return the rows by which the exchange tells of an event."""
    match what:
        case "trade":
            return (
                ("fills", _fill(name, amount, minute)),
                ("movements", _row(f"L{name}x", "trade", "BTC", amount, minute, name)),
                ("movements", _row(f"L{name}y", "trade", "USD", f"-{amount}", minute, name, "0.1")),
            )
        case "margin":
            lot = {"instrument": "BTC/USD", "mode": "lot", "position_id": name, "quantity": amount}
            return (
                ("fills", _fill(name, amount, minute) | {"margin": "true"}),
                ("positions", lot),
                ("movements", _row(f"L{name}r", "rollover", "USD", "0", minute + 240, name, "0.02")),
                ("movements", _row(f"L{name}s", "rollover", "USD", "0", minute + 480, name, "0.03")),
            )
        case "transfer":
            earn = _row(f"L{name}i", "transfer", "ETH", amount, minute, name) | {"wallet": "earn"}
            return (
                ("movements", _row(f"L{name}o", "transfer", "ETH", f"-{amount}", minute, name)),
                ("movements", earn),
            )
        case kind:
            return (("movements", _row(f"L{name}", kind, "BTC", amount, minute)),)


@st.composite
def _events(draw: st.DrawFn, account: str) -> Sequence[tuple[Name, Cells]]:
    """Draw what happened in one account, as the exchange tells it."""
    rows: list[tuple[Name, Cells]] = []
    for number in range(draw(st.integers(0, 5))):
        amount = draw(st.sampled_from(["1", "2", "0.5", "1000.00000001", "1e-24"]))
        what, minute = draw(st.sampled_from(EVENTS)), draw(st.integers(0, 30)) * 40
        rows += _event(what, f"{account}{number}", amount, minute)
    return rows


def _fill(name: str, amount: str, minute: int) -> dict[str, str]:
    return {
        "fill_id": name, "order_id": f"O{name[:2]}", "instrument": "BTC/USD", "side": "buy", "quantity": amount,
        "price": "1", "fee": "0.1", "fee_asset": "USD", "margin": "false", "at": _at(minute),
    }  # fmt: skip


def _row(name: str, kind: str, asset: str, amount: str, minute: int, event: str = "", fee: str = "0") -> dict[str, str]:
    return {
        "movement_id": name, "refers_to": event, "kind": kind, "asset": asset, "wallet": "spot", "amount": amount,
        "fee": fee, "at": _at(minute),
    }  # fmt: skip


_OTHERWISE = {
    "quantity": "7.5", "amount": "7.5", "price": "2", "side": "sell", "fee": "0.3", "fee_asset": "BTC",
    "instrument": "ETH/USD", "order_id": "O?", "margin": "true", "wallet": "bonded", "asset": "ETH", "refers_to": "a0",
    "mode": "short", "kind": "riddle",
}  # fmt: skip
_FAULTS = [*["none"] * len(_OTHERWISE), *_OTHERWISE, "lost", "twice", "id", "younger", "copied"]
"""A column, which the book has otherwise, or something else."""


@st.composite
def record_worlds(draw: st.DrawFn) -> RecordWorld:
    """Draw two sides of which the book errs here and there, with balances that follow from its own rows or do not."""
    by_event = draw(st.booleans())
    theirs: list[_Line] = []
    ours: list[_Line] = []
    for account in ACCOUNTS:
        for name, cells in draw(_events(account)):
            theirs.append((name, account, cells))
            booked = _booked(name, cells, by_event)
            ours += [(name, account, row) for row in _faulty(booked, draw(st.sampled_from(_FAULTS)))]
    match draw(st.sampled_from(["", "lost", "both twice"])):
        case "lost":
            theirs = [one for one in theirs if draw(st.integers(0, 9))]
        case "both twice":
            again = [one for one in theirs if one in ours and draw(st.booleans())]
            ours, theirs = [*ours, *again], [*theirs, *again]
    return {"internal": draw(_side(ours)), "exchange": draw(_side(theirs))}


def _booked(name: Name, cells: Cells, by_event: bool) -> Cells:
    """Return a row as the book has it: it may know nothing of the exchange's ids for what a fill moved."""
    if name == "movements" and by_event and cells["kind"] == "trade":
        return {**cells, "movement_id": f"{cells['refers_to']}:{cells['asset']}"}
    return cells


def _faulty(cells: Cells, fault: str) -> Iterator[Cells]:
    """Yield what a book has in place of a row."""
    name = next(one for one in ("movement_id", "fill_id", "position_id") if one in cells)
    match fault:
        case "lost":
            return
        case "twice":
            yield from (cells, cells)
        case "id":
            yield {**cells, name: f"{cells[name]}?"}
        case "younger" if "at" in cells:
            yield {**cells, "at": _at(1445)}
        case "copied":
            yield from (cells, {**cells, name: f"{cells[name]}-copy"})
        case column if column in cells:
            yield {**cells, column: _OTHERWISE[column]}
        case _:
            yield cells


def every_fault(*, by_event: bool) -> RecordWorld:
    """Return a world with an account for each fault of each row of each event, and one of rows that both repeat."""
    theirs: list[_Line] = []
    ours: list[_Line] = []
    for what in EVENTS:
        rows = [(name, cells, _booked(name, cells, by_event)) for name, cells in _event(what, "e", "1", 40)]
        for fault in (*_OTHERWISE, "lost", "twice", "id", "younger", "copied", "both twice"):
            for wrong in range(len(rows)):
                account = f"{what} {fault} {wrong}"
                for at, (name, cells, booked) in enumerate(rows):
                    again = 2 if at == wrong and fault == "both twice" else 1
                    theirs += [(name, account, cells)] * again
                    mine = _faulty(booked, fault) if at == wrong and again == 1 else [booked] * again
                    ours += [(name, account, row) for row in mine]
    return {"internal": _held(ours), "exchange": _held(theirs)}


@st.composite
def _side(draw: st.DrawFn, rows: Sequence[_Line]) -> Held:
    held = _held(draw(st.permutations(rows)))
    return replace(held, balances=held.balances | {"a": {"BTC:spot": Decimal(1)}}) if draw(st.booleans()) else held


def _held(rows: Sequence[_Line]) -> Held:
    """Return what a side holds whose balances follow from its movements."""
    balances: dict[str, dict[str, Decimal]] = {}
    found: dict[Name, list[tuple[str, Cells]]] = {name: [] for name in FORMS}
    for name, account, cells in rows:
        found[name].append((account, cells))
        if name == "movements":
            key = f"{cells['asset']}:{cells['wallet']}"
            moved = quantity.subtract(quantity.parse(cells["amount"]), quantity.parse(cells["fee"]))
            mine = balances.setdefault(account, {})
            mine[key] = quantity.add(mine.get(key, Decimal(0)), moved)
    return Held(balances, found)


def lines_of(world: RecordWorld, side: Side) -> list[Line]:
    """Return the balances of a side, as the lines of a table."""
    return [
        (account, *_place(key), quantity.text(amount))
        for account, some in world[side].balances.items()
        for key, amount in some.items()
    ]


def _place(key: str) -> tuple[str, str]:
    asset, _, wallet = key.partition(":")
    return asset, wallet


def files_of(world: RecordWorld, folder: Path) -> None:
    """Write both sides as CSV."""
    for side in SIDES:
        written(folder / f"{side}.csv", lines_of(world, side))
        for name, rows in world[side].rows.items():
            with (folder / f"{name}_{side}.csv").open("w", newline="", encoding="utf-8") as file:
                out = csv.DictWriter(file, ["account", *FORMS[name].columns])
                out.writeheader()
                out.writerows({"account": account, **cells} for account, cells in rows)


def since_of(world: RecordWorld, side: Side) -> Since:
    oldest = {
        name: min((cells["at"] for _, cells in rows if "at" in cells), default=None)
        for name, rows in world[side].rows.items()
    }
    return Since(**{name: datetime.fromisoformat(at) for name, at in oldest.items() if at is not None})


def snapshot(world: RecordWorld, side: Side, account: str, since: Since) -> Snapshot:
    held = world[side]
    rows: dict[str, Any] = {
        name: tuple(record_reader(name)(_read(cells)) for mine, cells in some if mine == account)
        for name, some in held.rows.items()
    }
    return Snapshot(
        side=side,
        account=account,
        exchange="kraken",
        as_of=NOW,
        coverage=Coverages(**dict.fromkeys(map(str, KINDS), Coverage.TOTAL)),
        since=since,
        balances=tuple(
            Balance(Asset(_place(key)[0]), Wallet(_place(key)[1]), amount)
            for key, amount in held.balances.get(account, {}).items()
        ),
        **rows,
    )


def _read(cells: Cells) -> dict[str, object]:
    flags = {"true": True, "false": False}
    return {name: flags[cell] if name == "margin" else cell for name, cell in cells.items() if cell}


TERMS = replace(BALANCES, records={side: {form.kind: Coverage.TOTAL for form in FORMS.values()} for side in SIDES})


def held_against_the_report(world: RecordWorld, engine: SqlEngine) -> Outcome:
    """Look at every account by the engine, and by the report on its two snapshots."""
    found: list[Judged] = []
    refused: list[Rejected] = []
    outcome = reconcile_many(engine, TERMS, found.append, refused.append)
    assert refused == []
    since = {side: since_of(world, side) for side in SIDES}
    accounts = {account for side in SIDES for account in _accounts(world[side])}
    alone, agreed = {}, dict.fromkeys(KINDS, 0)
    for account in accounts:
        sides = (snapshot(world, side, account, since[side]) for side in SIDES)
        report = compare(*sides, policy=POLICY, prices=PRICES, only=KINDS)
        for one in report.findings:
            agreed[one.key.kind] += isinstance(one, Agrees)
        if unlike := tuple(one for one in report.findings if not isinstance(one, Agrees)):
            alone[account] = (unlike, sorted(report.discrepancies, key=lambda one: one.id))
    assert {one.account: (one.findings, sorted(one.discrepancies, key=lambda two: two.id)) for one in found} == alone
    assert outcome.agreed == agreed[Kind.BALANCES]
    return outcome


def _accounts(side: Held) -> Iterator[str]:
    yield from side.balances
    for some in side.rows.values():
        yield from (account for account, _ in some)
