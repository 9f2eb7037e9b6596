"""Two sides with all that is hard about amounts and names, and what the comparison alone says of them."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from gal_friday.bulk.digest import number_of
from gal_friday.bulk.judge import Judged, Terms
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.rows import Rejected, Total
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.discrepancy import Grader, discrepancies_of
from gal_friday.domain.finding import Agrees
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Balance
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Snapshot
from gal_friday.flows.reconcile_many import Engine, reconcile_many

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

_PLANTED = 5_000
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


def accounts_of(world: World) -> set[str]:
    return {line[0] for side in SIDES for line in world[side]}


def held_against_the_comparison(world: World, engine: Engine) -> None:
    found: list[Judged] = []
    refused: list[Rejected] = []
    outcome = reconcile_many(engine, TERMS, found.append, refused.append, digests=True)
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
            mine = [(line, quantity.parse(line[3])) for line in world[side] if line[1] == asset]
            amount = quantity.total(amount for _, amount in mine)
            digest = Decimal(sum(number_of(*line[:3], amount) for line, amount in mine))
            assert outcome.totals[side][asset] == Total(len(mine), amount, digest)


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


def planted() -> tuple[dict[Side, list[Line]], set[tuple[str, str]]]:
    """Make two sides that agree but for what is planted, and say of which keys that is."""
    differ = set[tuple[str, str]]()
    sides: dict[Side, list[Line]] = {side: [] for side in SIDES}
    for number in range(_PLANTED):
        account, asset = f"acct-{number % 97}", f"A{number // 97}"
        whole, rest = number * 7_919_777, f"{number * 104_729_111_777 % 10**18:018}"
        amount = other = f"{whole}.{rest}"
        if number % 101 == 0:
            differ.add((account, asset))
            other = f"{whole + 1}.{rest}"
        if number % 103 != 0:
            sides["internal"].append((account, asset, "spot", amount))
        if number % 107 != 0:
            sides["exchange"].append((account, asset, "spot", other))
        if (number % 103 == 0) != (number % 107 == 0):
            differ.add((account, asset))
        if number % 103 == number % 107 == 0:
            differ.discard((account, asset))
    return sides, differ
