"""The engine sieves and the domain judges: what comes out is what the comparison alone gives, to the last digit."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.judge import Judged, Terms
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.postgres import Postgres, place_of
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.discrepancy import Grader, discrepancies_of
from gal_friday.domain.finding import Agrees, CannotTell, Key
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Snapshot
from gal_friday.flows.reconcile_many import reconcile_many
from tests.bulk.databases import Tables

Line = tuple[str, str, str, str]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = ("account", "asset", "wallet", "quantity")
COLUMNS = Layout(account="account", wallet="wallet")
POLICY = Policy(tolerances={Asset("ETH"): Decimal("0.5"), Asset("BTC"): Decimal(0)})
PRICES = {Asset("BTC"): Decimal(60000), Asset("ETH"): Decimal(3000)}

World = Mapping[Side, Sequence[Line]]
LAYOUTS = dict.fromkeys(SIDES, COLUMNS)
TERMS = Terms(
    policy=POLICY,
    prices=PRICES,
    exchange="kraken",
    account="main",
    as_of=NOW,
    coverage=dict.fromkeys(SIDES, Coverage.TOTAL),
)

accounts = st.sampled_from(["a", "b", "A"])
# Near misses, a name that nobody resolved, and letters that an engine could take for others.
ASSETS = ["BTC", "ETH", "btc", "BTC ", "?XFOO", "É", "E\u0301", "it's", 'a "b"']
wallets = st.sampled_from(["spot", "earn"])
_AMOUNTS = """
    0 -0 0.00 1 1.0 +1 -1 1.5 01.5 1.50 2 1000 1E+3
    1.00000001 1.00000002 1.000000010000000001 1.0000000100000000009 2.000000000000000001
    1e-24 0.000000000000000001 0.0000000000000000000000000001
    99999999999999999999 99999999999999999999.999999999999999999 100000000000000000000
    60000000000000000000 1000000000000000000000000000000 -1000000000000000000000000000000.5
"""
AMOUNTS = _AMOUNTS.split()
PAIRS: World = {
    "internal": [(f"{one} {other}", "BTC", "spot", one) for one in AMOUNTS for other in AMOUNTS],
    "exchange": [(f"{one} {other}", "BTC", "spot", other) for one in AMOUNTS for other in AMOUNTS],
}
"""Each amount beside each other one, each in an account of its own."""
amounts = st.sampled_from(AMOUNTS)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw two sides that are mostly the same, with lines that are missing, repeated or other on either."""
    names = draw(st.lists(st.sampled_from(ASSETS), min_size=1, max_size=3))
    some = draw(st.lists(amounts, min_size=1, max_size=4))
    lines = st.tuples(accounts, st.sampled_from(names), wallets, st.sampled_from(some))
    both = draw(st.lists(lines, max_size=8))
    other = [(*line[:3], draw(st.sampled_from([line[3], line[3], *some]))) for line in both]
    ours, theirs = draw(st.lists(lines, max_size=2)), draw(st.lists(lines, max_size=2))
    return {"internal": draw(st.permutations([*both, *ours])), "exchange": draw(st.permutations([*other, *theirs]))}


@pytest.mark.parametrize("exact", [True, False])
@given(world=worlds())
@example(world=PAIRS)
@settings(deadline=None, max_examples=60)
def test_the_sieve_and_the_judge_find_what_the_comparison_finds(world: World, exact: bool) -> None:
    with TemporaryDirectory() as name:
        for side in SIDES:
            written(Path(name) / f"{side}.csv", world[side])
        sources = {side: source_of(f"{name}/{side}.csv") for side in SIDES}
        with Duck(sources, LAYOUTS, names={}, exact=exact, limits=Limits(threads=1)) as engine:
            held_against_the_comparison(world, engine)


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


def accounts_of(world: World) -> set[str]:
    return {line[0] for side in SIDES for line in world[side]}


def held_against_the_comparison(world: World, engine: SqlEngine) -> None:
    found: list[Judged] = []
    refused: list[Rejected] = []
    outcome = reconcile_many(engine, TERMS, found.append, refused.append)
    assert refused == []
    alone, agreed = {}, 0
    for account in accounts_of(world):
        findings = compare_snapshots(*(snapshot(side, account, world[side]) for side in SIDES), policy=POLICY)
        agreed += sum(type(one) is Agrees for one in findings)
        if unlike := tuple(one for one in findings if type(one) is not Agrees):
            alone[account] = unlike
    assert {one.account: one.findings for one in found} == alone
    assert [one.account for one in found] == sorted(alone, key=str.encode)
    assert outcome.agreed == agreed
    assert outcome.keys == agreed + sum(map(len, alone.values()))
    graded = {name: graded_alone(name, findings) for name, findings in alone.items()}
    assert {one.account: one.discrepancies for one in found} == graded
    for side in SIDES:
        for asset in {line[1] for line in world[side]}:
            mine = [quantity.parse(line[3]) for line in world[side] if line[1] == asset]
            told = outcome.totals[side][asset]
            assert (told.rows, told.amount) == (len(mine), quantity.total(mine))


def graded_alone(account: str, findings: Sequence[object]) -> tuple[object, ...]:
    grader = Grader(account, "kraken", POLICY, PRICES, NOW)
    return tuple(one for finding in findings for one in discrepancies_of(finding, grader))  # type: ignore[arg-type]


def written(path: Path, some: Sequence[Line]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *some])


def snapshot(side: Side, account: str, some: Sequence[Line]) -> Snapshot:
    return Snapshot(
        side=side,
        account=account,
        exchange="kraken",
        as_of=NOW,
        coverage=Coverages(balances=Coverage.TOTAL),
        balances=tuple(
            Balance(Asset(asset), Wallet(wallet), quantity.parse(amount))
            for name, asset, wallet, amount in some
            if name == account
        ),
    )
