"""The engine sieves and the domain judges: what comes out is what the comparison alone gives, to the last digit."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.bulk import duck
from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.judge import Judged
from gal_friday.bulk.postgres import Postgres, place_of
from gal_friday.bulk.sieve import CROWD, SIDES
from gal_friday.bulk.source import source_of
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import CannotTell, Differs, Key
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Coverages
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.reconcile_many import Outcome, reconcile_many
from tests.bulk.databases import Tables
from tests.bulk.worlds import (
    ASSETS,
    LAYOUTS,
    PAIRS,
    POLICY,
    TERMS,
    World,
    accounts_of,
    held_against_the_comparison,
    snapshot,
    worlds,
    written,
)


@pytest.mark.parametrize("exact", [True, False])
@given(world=worlds())
@example(world=PAIRS)
@settings(deadline=None, max_examples=60)
def test_the_sieve_and_the_judge_find_what_the_comparison_finds(world: World, exact: bool) -> None:
    held_in_files(world, exact=exact)


@pytest.mark.parametrize("exact", [True, False])
@given(world=worlds())
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_keys_that_are_sieved_part_by_part_are_the_same(
    monkeypatch: pytest.MonkeyPatch, world: World, exact: bool
) -> None:
    monkeypatch.setattr(duck, "_PART", 2)
    held_in_files(world, exact=exact)


@pytest.mark.parametrize("bits", [0, 2**20])
@given(world=worlds())
@example(world=PAIRS)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accounts_that_are_sieved_in_segments_are_the_same(
    monkeypatch: pytest.MonkeyPatch, world: World, bits: int
) -> None:
    monkeypatch.setattr(duck, "_SEGMENT", 1)
    monkeypatch.setattr(duck, "_BITS", bits)
    held_in_files(world, exact=False)


@given(world=worlds())
@example(world=PAIRS)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["text", "numeric"])
def test_postgresql_finds_the_same_where_its_tables_are(tables: Tables, world: World, kind: str) -> None:
    tables.hold(world, kind)
    places = {side: place_of(f"{tables.address}#public.{side}") for side in SIDES}
    with Postgres(places, LAYOUTS, names={}) as engine:
        held_against_the_comparison(world, engine)


@given(world=worlds(), coverage=st.sampled_from([Coverage.TOTAL, Coverage.PARTIAL]))
@settings(deadline=None, max_examples=40)
def test_what_is_found_of_a_watched_key_is_what_the_comparison_finds(world: World, coverage: Coverage) -> None:
    keys = frozenset(Key(Kind.BALANCES, name, wallet) for name in ASSETS[:4] for wallet in ("spot", "earn"))
    watched = dict.fromkeys(("0", "A", "a", "b", "c"), keys)
    found: dict[str, Judged] = {}
    with TemporaryDirectory() as name:
        for side in SIDES:
            written(Path(name) / f"{side}.csv", world[side])
        sources = {side: source_of(f"{name}/{side}.csv") for side in SIDES}
        with Duck(sources, LAYOUTS, names={}, exact=False, limits=Limits(threads=1)) as engine:
            terms = replace(TERMS, watched=watched, coverage={**TERMS.coverage, "exchange": coverage})
            outcome = reconcile_many(engine, terms, lambda one: found.update({one.account: one}), lambda _: None)
    assert list(found) == sorted(watched)
    assert outcome.keys == len({line[:3] for side in SIDES for line in world[side]})
    for account, one in found.items():
        assert {finding.key for finding in one.watched} == keys
        ours, theirs = (snapshot(side, account, world[side]) for side in SIDES)
        theirs = replace(theirs, coverage=Coverages(balances=coverage))
        alone = {each.key: each for each in compare_snapshots(ours, theirs, policy=POLICY, watched=keys)}
        for finding in one.watched:
            if account in accounts_of(world):
                assert finding == alone[finding.key]
            else:
                assert isinstance(finding, CannotTell)


@pytest.mark.parametrize("exact", [True, False])
def test_rows_of_a_key_that_has_too_many_are_counted_and_not_judged(tmp_path: Path, exact: bool) -> None:
    outcome, found = crowded(tmp_path, 1, exact=exact)
    assert [(type(one), one.key.name) for one in found.findings] == [(CannotTell, "BTC")]
    assert (outcome.keys, outcome.agreed, outcome.untold, outcome.verdict) == (2, 1, 1, Verdict.INCOMPLETE)
    for more, side in enumerate(SIDES):
        told = outcome.totals[side]["BTC"]
        assert (told.rows, told.amount) == (CROWD // 2 + more, Decimal(10**30 + CROWD // 2 + more - 1))


def test_a_key_with_as_many_rows_as_are_told_is_judged(tmp_path: Path) -> None:
    outcome, found = crowded(tmp_path, 0, exact=False)
    assert [type(one) for one in found.findings] == [Differs]
    assert (outcome.untold, outcome.discrepancies) == (0, 2)


def crowded(folder: Path, more: int, *, exact: bool) -> tuple[Outcome, Judged]:
    """Compare sides that list one key very often, the exchange *more* times; one row is too wide to be summed."""
    row, wide = ("a", "BTC", "spot", "1"), ("a", "BTC", "spot", f"1{'0' * 30}")
    for side, count in (("internal", CROWD // 2), ("exchange", CROWD // 2 + more)):
        written(folder / f"{side}.csv", [wide, *[row] * (count - 1), ("b", "ETH", "spot", "1")])
    sources = {side: source_of(f"{folder}/{side}.csv") for side in SIDES}
    found: list[Judged] = []
    with Duck(sources, LAYOUTS, names={}, exact=exact, limits=Limits(threads=1)) as engine:
        outcome = reconcile_many(engine, TERMS, found.append, lambda _: None)
    return outcome, found[0]


def held_in_files(world: World, *, exact: bool) -> None:
    with TemporaryDirectory() as name:
        for side in SIDES:
            written(Path(name) / f"{side}.csv", world[side])
        sources = {side: source_of(f"{name}/{side}.csv") for side in SIDES}
        with Duck(sources, LAYOUTS, names={}, exact=exact, limits=Limits(threads=1)) as engine:
            held_against_the_comparison(world, engine)
