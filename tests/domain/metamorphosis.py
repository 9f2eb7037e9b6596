"""What may be done to a world without changing what happened in it: rows shuffled, names, units and clocks changed.

And what of a report is compared afterwards: everything, or all that does not follow from what was changed.
"""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.plain import plain
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.scenario import read_scenario
from gal_friday.domain.snapshot import Snapshot
from gal_friday.domain.snapshot_json import read_snapshot, write_snapshot
from tests.domain.build import D
from tests.domain.planted import World
from tests.domain.worlds import every_row, rebuilt

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.txt"))
ELSEWHERE = timezone(timedelta(hours=5, minutes=30))
_CONTENT_IDS = frozenset({"id", "reconciliation_id", "discrepancy_id"})
"""Derived from names and amounts: they follow when those change."""
SENTENCES = frozenset({"note", "notes", "explanation", "reason", "issue", "divergence"})
_AMOUNT = re.compile(r"-?\d+\.\d+")
SHARES = frozenset({"severity", "explained_share"})
"""Follow from how large the difference is against the whole balance."""
BALANCES = frozenset({"internal", "exchange"})
CHANCE = frozenset({"expected_accidents", "alternatives"})
"""Follow from how many other rows there are."""


@cache
def scenario(path: Path) -> World:
    """Return the two sides of a scenario file."""
    read = read_scenario(path.read_text(encoding="utf-8"), source=path.name)
    return World(read.internal, read.exchange, read.prices)


def in_every_scenario(rule: Callable[[World], None], *, but: Iterable[str] = ()) -> None:
    """Hold the rule against every scenario file; exactly those in *but* break it."""
    broken: dict[str, str] = {}
    for path in SCENARIOS:
        try:
            rule(scenario(path))
        except AssertionError as wrong:
            broken[path.stem] = str(wrong)[:2000]
    assert broken.keys() == set(but), "\n\n".join(f"{name}: {what}" for name, what in broken.items())


def report(world: World, **more: Any) -> ReconciliationReport:
    """Return what comparing and explaining the two sides comes to."""
    return compare(world.internal, world.exchange, prices=world.prices, **more)


def changed(world: World, change: Callable[[list[Any]], list[Any]]) -> World:
    """Return the world with each list of each side changed."""
    return replace(world, internal=rebuilt(world.internal, change), exchange=rebuilt(world.exchange, change))


def told(found: ReconciliationReport, *, without: Iterable[str] = (), name: Callable[[str], str] = str) -> Any:
    """Return the report without ids that follow from content, its texts renamed, its lists in one order."""
    dropped = {*_CONTENT_IDS, *without}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name(key): walk(inner) for key, inner in value.items() if key not in dropped}
        if isinstance(value, list):
            return sorted(map(walk, value), key=lambda inner: msgspec.json.encode(inner, order="sorted"))
        return name(_short(value)) if isinstance(value, str) else value

    return walk(plain(found))


def _short(text: str) -> str:
    """Return an amount without zeros at its end: how many there are follows from what it was added to."""
    return text.rstrip("0").rstrip(".") if _AMOUNT.fullmatch(text) else text


def outcome(found: ReconciliationReport, *, without: Iterable[str] = ()) -> Any:
    """Return verdict, discrepancies and causes: all that a record on both sides must leave as it was."""
    lists = [name for name in found.__struct_fields__ if name.endswith("_discrepancies")]
    kept = ("verdict", "total_discrepancies", "untracked_orders", "root_causes", "explained_share", *lists)
    return {name: value for name, value in told(found, without=without).items() if name in kept}


_NAME = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Za-z0-9_-]*")
_ID_FIELDS = ("order_id", "client_order_id", "fill_id", "movement_id", "refers_to", "position_id")


def _ids_of(world: World) -> set[str]:
    rows = [row for side in (world.internal, world.exchange) for row in every_row(side)]
    texts = [str(value) for row in rows for name in _ID_FIELDS if (value := getattr(row, name, None)) is not None]
    return {word for text in texts for word in _NAME.findall(text)}


def assets_of(world: World) -> set[str]:
    """Return every asset that is named or priced."""
    rows = [row for side in (world.internal, world.exchange) for row in every_row(side)]
    texts = {
        str(getattr(row, name))
        for row in rows
        for name in ("asset", "fee_asset", "instrument")
        if getattr(row, name, None)
    }
    return {part for text in texts for part in text.split("/")} | set(map(str, world.prices))


def renaming(world: World, *, turned: bool) -> Callable[[str], str]:
    """Return new names for every asset but USD, and for every id; in the same order, or *turned* round."""
    names: dict[str, str] = {}
    assets, ids = assets_of(world), _ids_of(world)
    before, after = {name for name in assets if name < "USD"}, {name for name in assets if name > "USD"}
    low, high = ("Z", "A") if turned else ("A", "Z")
    for letter, group in ((low, before), (high, after), ("W", ids - assets)):
        for number, name in enumerate(sorted(group, reverse=turned)):
            names[name] = f"{letter}{number:04d}N"
    return lambda text: _NAME.sub(lambda found: names.get(found[0], found[0]), text)


def renamed(world: World, name: Callable[[str], str]) -> World:
    """Return the world under new names."""

    def change(row: Any) -> Any:
        fields = (*_ID_FIELDS, "asset", "fee_asset", "instrument")
        return replace(row, **{field: name(value) for field in fields if (value := getattr(row, field, None))})

    other = changed(world, lambda rows: [change(row) for row in rows])
    scales = replace(
        world.exchange.scales,
        assets={Asset(name(asset)): places for asset, places in world.exchange.scales.assets.items()},
    )
    return World(
        replace(other.internal, scales=scales),
        replace(other.exchange, scales=scales),
        {Asset(name(asset)): price for asset, price in world.prices.items()},
    )


def in_other_units(world: World, assets: Collection[str], digits: int) -> World:
    """Return the world in which one unit of these is a power of ten smaller: more of it, each worth less."""
    many, few = D(1).scaleb(digits), D(1).scaleb(-digits)

    def times(row: Any, factor: Decimal, *fields: str) -> Any:
        given = {name: value for name in fields if (value := getattr(row, name, None)) is not None}
        return replace(row, **{name: quantity.multiply(value, factor) for name, value in given.items()})

    def change(row: Any) -> Any:
        if getattr(row, "asset", None) in assets:
            return times(row, many, "total", "held", "amount", "fee", "balance_after")
        base, _, quote = getattr(row, "instrument", "").partition("/")
        if (getattr(row, "fee_asset", None) or quote) in assets:
            row = times(row, many, "fee")
        if quote in assets:
            row = times(row, many, "price", "average_price", "cost")
        return times(times(row, many, "quantity", "filled"), few, "price", "average_price") if base in assets else row

    other = changed(world, lambda rows: [change(row) for row in rows])
    places = {name: count - digits * (name in assets) for name, count in world.exchange.scales.assets.items()}
    scales = replace(world.exchange.scales, assets=places)
    prices = {name: quantity.multiply(price, few) if name in assets else price for name, price in world.prices.items()}
    return World(replace(other.internal, scales=scales), replace(other.exchange, scales=scales), prices)


def elsewhere(world: World) -> World:
    """Return the world with every instant told by the clock of another time zone."""

    def there(value: Any) -> Any:
        return None if value is None else value.astimezone(ELSEWHERE)

    def change(row: Any) -> Any:
        fields = ("at", "opened_at", "updated_at")
        return replace(row, **{name: there(getattr(row, name)) for name in fields if hasattr(row, name)})

    def side(snapshot: Snapshot) -> Snapshot:
        since = {name: there(getattr(snapshot.since, name)) for name in snapshot.since.__struct_fields__}
        moved = rebuilt(snapshot, lambda rows: [change(row) for row in rows])
        return replace(moved, as_of=there(snapshot.as_of), since=replace(snapshot.since, **since))

    return replace(world, internal=side(world.internal), exchange=side(world.exchange))


_INSTANT = re.compile(rb'"(\d{4}-\d\d-\d\dT[0-9:.]+Z)"')


def written_elsewhere(side: Snapshot) -> Snapshot:
    """Return the side read from a file that somebody wrote in another time zone."""

    def there(found: "re.Match[bytes]") -> bytes:
        return b'"' + datetime.fromisoformat(found[1].decode()).astimezone(ELSEWHERE).isoformat().encode() + b'"'

    return read_snapshot(_INSTANT.sub(there, write_snapshot(side)), source="elsewhere")
