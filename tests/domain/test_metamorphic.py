"""What must not change a report, or only rename or scale it: comparison, causes, items and residuals.

Each rule is held against every scenario file and against generated worlds with accidents of every kind; what is
compared after it is the whole report, not only its verdict. More and fresh worlds:
``HYPOTHESIS_PROFILE=explore pytest tests/domain/test_metamorphic.py``.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import RecordDiscrepancy
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Record
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.roll_up import legs_of
from gal_friday.domain.snapshot import Coverage, Snapshot
from tests.domain.build import D, balance, fill, movement, order
from tests.domain.metamorphosis import (
    BALANCES,
    CHANCE,
    SENTENCES,
    SHARES,
    assets_of,
    changed,
    elsewhere,
    in_every_scenario,
    in_other_units,
    outcome,
    renamed,
    renaming,
    report,
    told,
    written_elsewhere,
)
from tests.domain.planted import STORIES, Told, World, recorded_worlds, world_of, worlds

_LAST_DAY = timedelta(hours=23)

# The order of rows.


def _shuffled_alike(world: World, shuffle: Callable[[list[Any]], list[Any]]) -> None:
    assert report(changed(world, shuffle)).to_json() == report(world).to_json()


@given(world=worlds, chance=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_byte_of_the_report(world: World, chance: Any) -> None:  # I12
    _shuffled_alike(world, lambda rows: chance.sample(rows, len(rows)))


def test_the_order_of_rows_changes_no_byte_of_a_scenarios_report() -> None:
    in_every_scenario(lambda world: _shuffled_alike(world, lambda rows: rows[::-1]))


# The same on both sides.


def _both(world: World, *rows: Record) -> World:
    """Return the world in which both sides have these rows, and what they moved, since long."""
    return replace(world, internal=_added(world.internal, rows), exchange=_added(world.exchange, rows))


def _added(side: Snapshot, rows: Iterable[Record]) -> Snapshot:
    for row in rows:
        kind = f"{type(row).__name__.lower()}s"
        if kind == "balances" or getattr(side.coverage, kind) != Coverage.NONE:
            side = replace(side, **{kind: (row, *getattr(side, kind))})
    return side


def _fresh_fill() -> tuple[Record, ...]:
    one = fill("TNEW", quantity="3", price="7", fee="0.01", fee_asset="YYY", instrument="ZZZ/YYY", order_id=None)
    return (one, *legs_of(one), balance("ZZZ", "3"), balance("YYY", "50"))


FRESH = {
    "fill": _fresh_fill(),
    "deposit": (movement("LNEW", "12.5", "ZZZ", "deposit"), balance("ZZZ", "12.5")),
    "order": (order("ONEW", "canceled", instrument="ZZZ/YYY"),),
}


def _when(row: Any, at: Any) -> Any:
    fields = {name: at for name in ("at", "opened_at", "updated_at") if hasattr(row, name)}
    return replace(row, **fields)


def _dated(world: World, rows: Iterable[Record]) -> tuple[Record, ...]:
    """Return the rows as old as the window allows: so old a record puts nothing in motion and ends no silence."""
    at = min(side.as_of for side in (world.internal, world.exchange)) - _LAST_DAY
    return tuple(_when(row, at) for row in rows)


def _same_with(world: World, rows: tuple[Record, ...]) -> None:
    assert outcome(report(_both(world, *_dated(world, rows)))) == outcome(report(world))


@pytest.mark.parametrize("kind", FRESH)
@given(world=worlds)
def test_the_same_record_on_both_sides_leaves_verdict_discrepancies_and_causes(kind: str, world: World) -> None:
    _same_with(world, FRESH[kind])


@pytest.mark.parametrize("kind", FRESH)
def test_the_same_record_on_both_sides_leaves_a_scenarios_verdict_discrepancies_and_causes(kind: str) -> None:
    in_every_scenario(lambda world: _same_with(world, FRESH[kind]))


def _richer(side: Snapshot, deposit: Any) -> Snapshot:
    """Return the side with a deposit before everything else: every balance since is higher by it."""

    def more(row: Any, field: str) -> Any:
        amount = getattr(row, field)
        there = (row.asset, row.wallet) == (deposit.asset, deposit.wallet)
        return replace(row, **{field: quantity.add(amount, deposit.amount)}) if there and amount is not None else row

    side = replace(
        side,
        balances=tuple(more(row, "total") for row in side.balances),
        movements=tuple(more(row, "balance_after") for row in side.movements),
    )
    return _added(side, [deposit])


def _same_when_richer(world: World, asset: Asset) -> None:
    (deposit,) = _dated(world, [movement("LNEW", "77.7770331", asset, "deposit")])
    richer = replace(world, internal=_richer(world.internal, deposit), exchange=_richer(world.exchange, deposit))
    without = {*SENTENCES, *SHARES, *BALANCES, *CHANCE}
    assert outcome(report(richer), without=without) == outcome(report(world), without=without)


_OF_THE_WHOLE_POOL = (
    # The whole balance with its point shifted: what is added to the balance is no part of that mistake.
    "wrong_amount_balances_only",
    # Where nothing moved nothing is said of the opening; one movement that agrees is what was lacking.
    "a_balance_without_movements_has_no_wrong_opening",
)


def _assets(world: World) -> list[Asset]:
    """Return the assets that both sides hold in spot: where one is missing, one more row is not all that changes."""
    ours, theirs = (
        {row.asset for row in side.balances if row.wallet is Wallet.SPOT} for side in (world.internal, world.exchange)
    )
    return sorted(ours & theirs)


@given(world=recorded_worlds, data=st.data())
def test_the_same_deposit_into_an_asset_that_differs_leaves_its_difference_and_cause(world: World, data: Any) -> None:
    assets = _assets(world)
    if assets:
        _same_when_richer(world, data.draw(st.sampled_from(assets)))


def test_the_same_deposit_into_an_asset_of_a_scenario_leaves_its_difference_and_cause() -> None:
    def rule(world: World) -> None:
        for asset in _assets(world):
            _same_when_richer(world, asset)

    in_every_scenario(rule, but=_OF_THE_WHOLE_POOL)


# Names.


def _only_renamed(world: World, *, turned: bool) -> None:
    name = renaming(world, turned=turned)
    without = SENTENCES if turned else ()
    assert told(report(renamed(world, name)), without=without) == told(report(world), without=without, name=name)


@pytest.mark.parametrize("turned", [False, True], ids=["in_order", "turned_round"])
@given(world=worlds)
def test_other_names_on_both_sides_only_rename_the_report(turned: bool, world: World) -> None:
    _only_renamed(world, turned=turned)


@pytest.mark.parametrize("turned", [False, True], ids=["in_order", "turned_round"])
def test_other_names_on_both_sides_only_rename_a_scenarios_report(turned: bool) -> None:
    in_every_scenario(lambda world: _only_renamed(world, turned=turned))


# Units.


def _graded(found: ReconciliationReport, assets: Collection[str], digits: int) -> Any:
    """Return verdict, causes and grades, and every bridge with its amounts counted back to the first unit."""
    few = D(1).scaleb(-digits)

    def back(amount: Decimal, name: str) -> Decimal:
        return quantity.multiply(amount, few) if name.partition("/")[0] in assets else amount

    def bridge(one: Any) -> Any:
        if isinstance(one, RecordDiscrepancy) or one.bridge is None:
            return None
        name = getattr(one, "currency", None) or one.trading_pair
        items = [(item.cause, back(item.effect, name), item.record_ids, item.event) for item in one.bridge.items]
        return back(one.difference, name), items, back(one.bridge.residual, name), one.bridge.residual_cause

    return (
        found.verdict,
        [(one.key, one.type, one.severity, one.value, one.cause, bridge(one)) for one in found.discrepancies],
        [(root.cause, root.event, root.record_ids, root.symptoms, root.value) for root in found.root_causes],
        found.explained_share,
    )


def _same_in_other_units(world: World, assets: Collection[str], digits: int) -> None:
    tolerance = quantity.multiply(Policy().tolerance, D(1).scaleb(digits))
    policy = Policy(tolerances={Asset(asset): tolerance for asset in assets})
    other = report(in_other_units(world, assets, digits), policy=policy)
    assert _graded(other, assets, digits) == _graded(report(world), assets, 0)


@given(world=worlds, digits=st.sampled_from([-2, 1, 3]), data=st.data())
def test_an_asset_in_other_units_changes_amounts_and_neither_cause_nor_grade(
    world: World, digits: int, data: Any
) -> None:
    assets = assets_of(world) - {"USD"}
    one = {data.draw(st.sampled_from(sorted(assets)))}
    _same_in_other_units(world, assets if one & {"OLD", "NEW"} else one, digits)


def test_an_asset_of_a_scenario_in_other_units_changes_amounts_and_neither_cause_nor_grade() -> None:
    def rule(world: World) -> None:
        assets = assets_of(world) - {"USD"}
        for group in [assets] if _same_holding(world) else [{asset} for asset in assets]:
            _same_in_other_units(world, group, 3)

    in_every_scenario(rule)


def _same_holding(world: World) -> bool:
    """Say whether one holding stands under two names, which then have one unit."""
    return any(root.cause is Cause.RENAMED_ASSET for root in report(world).root_causes)


# Time.


def _same_elsewhere(world: World) -> None:
    """One side keeps another clock: what the two say of one instant is the same instant."""
    plainly = outcome(report(world), without=SENTENCES)
    other = elsewhere(world)
    for mixed in (other, replace(world, internal=other.internal), replace(world, exchange=other.exchange)):
        assert outcome(report(mixed), without=SENTENCES) == plainly


@given(world=worlds)
def test_the_time_zone_of_instants_changes_no_discrepancy_and_no_cause(world: World) -> None:
    _same_elsewhere(world)


def test_the_time_zone_of_instants_changes_no_discrepancy_and_no_cause_of_a_scenario() -> None:
    in_every_scenario(_same_elsewhere)


@pytest.mark.parametrize("story", sorted(STORIES))
def test_a_sentence_names_an_instant_in_utc(story: str) -> None:
    world = world_of([Told(story, D("1.2345"))])
    assert outcome(report(elsewhere(world))) == outcome(report(world))


def test_a_sentence_of_a_scenario_names_an_instant_in_utc() -> None:
    in_every_scenario(_same_sentences)


def _same_sentences(world: World) -> None:
    assert outcome(report(elsewhere(world))) == outcome(report(world))


@given(world=worlds)
def test_the_time_zone_of_a_snapshot_file_changes_no_byte_of_the_report(world: World) -> None:
    other = replace(world, internal=written_elsewhere(world.internal), exchange=written_elsewhere(world.exchange))
    assert report(other).to_json() == report(world).to_json()


def _same_read_the_other_way(world: World) -> None:
    later = timedelta(seconds=7)
    first = replace(world, internal=replace(world.internal, as_of=world.internal.as_of + later))
    second = replace(world, exchange=replace(world.exchange, as_of=world.exchange.as_of + later))
    assert outcome(report(first)) == outcome(report(second))


@given(world=worlds)
def test_which_side_was_read_first_changes_nothing(world: World) -> None:
    _same_read_the_other_way(world)


def test_which_side_was_read_first_changes_nothing_in_a_scenario() -> None:
    in_every_scenario(_same_read_the_other_way)


# The worlds themselves.


def test_the_generated_worlds_show_the_causes_that_were_planted() -> None:
    named = {root.cause for story in STORIES for root in report(world_of([Told(story, D("1.2345"))])).root_causes}
    assert named >= {cause for cause in Cause if cause.value in STORIES}
