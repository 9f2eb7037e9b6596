"""One cause that hits many accounts is one alert, whatever comes and goes in which order; few are told one by one."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain.alert import Alert, AlertKind, Condition, Notice, Phase, What
from gal_friday.domain.alert_mass import MASS_IDS, TOGETHER
from gal_friday.domain.alerting import Rules
from gal_friday.domain.conditions import Limits
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.muting import silence
from gal_friday.flows.alert import acknowledge, carry
from tests.contracts.test_store_contract import T0
from tests.domain.alerts import condition
from tests.flows.alert_worlds import World

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
MISSED = AlertKind.RUN_MISSED
MASS = MASS_IDS[MISSED]
FAR = Rules(repeat_interval=timedelta(days=9), escalate_after=timedelta(days=9))


def missed(account: str, kind: AlertKind = MISSED) -> Condition:
    return replace(
        condition(account, kind=kind, account=account, severity=Severity.HIGH, dated=False, value=None),
        title="a run was due and did not happen",
        lines=("due at noon",),
    )


def names(first: int, last: int) -> list[str]:
    return [f"a{number:04}" for number in range(first, last)]


class Fleet(World):
    """Many accounts, of which some hold a condition."""

    def __init__(self, alone: int = 5) -> None:
        super().__init__(rules=FAR, limits=Limits(accounts_told_alone=alone))
        self.holding: set[Condition] = set()
        self.notices: list[Notice] = []

    async def holds(self, *accounts: str, seconds: float = 1) -> list[str]:
        """Let exactly these accounts miss their run, look twice, and return what was told."""
        self.holding = {missed(account) for account in accounts}
        told = await self.looked()
        self.after(seconds=seconds)
        return sorted([*told, *await self.looked()])

    async def looked(self) -> list[str]:
        known = {one.notice.key for one in await self.alerts.outbox(limit=100_000)}
        await carry(self.watch, self.holding)
        made = [one.notice for one in await self.alerts.outbox(limit=100_000) if one.notice.key not in known]
        self.notices += made
        return [f"{one.what.value} {one.account or one.title}" for one in made]

    async def standing(self, name: str = MASS) -> Alert:
        one = await self.alerts.alert(name)
        assert one is not None
        return one


async def test_a_thousand_accounts_are_one_alert_that_counts_them_and_names_the_first() -> None:
    fleet = Fleet()
    assert await fleet.holds(*names(0, 974)) == ["firing 974 accounts: a run was due and did not happen"]
    (notice,) = fleet.notices
    assert notice.lines == (
        *(f"{name}: a run was due and did not happen: due at noon" for name in names(0, 5)),
        "and 969 more",
    )
    assert (notice.account, notice.path, notice.magnitude) == ("", "/accounts", 974)
    assert await fleet.holds(seconds=60) == ["resolved 974 accounts: a run was due and did not happen"]
    fleet.after(hours=1)
    assert await fleet.holds() == []
    assert await fleet.alerts.alerts() == ()


@pytest.mark.parametrize("count, told", [(5, names(0, 5)), (6, ["6 accounts: a run was due and did not happen"])])
async def test_a_few_accounts_are_told_one_by_one(count: int, told: list[str]) -> None:
    assert await Fleet().holds(*names(0, count)) == [f"firing {one}" for one in told]


async def test_it_grows_quietly_and_is_told_again_when_there_is_twice_as_much() -> None:
    fleet = Fleet()
    told = [await fleet.holds(*names(0, count)) for count in range(6, 26)]
    assert [(count, one) for count, one in enumerate(told, 6) if one] == [
        (6, ["firing 6 accounts: a run was due and did not happen"]),
        (12, ["grew 12 accounts: a run was due and did not happen"]),
        (24, ["grew 24 accounts: a run was due and did not happen"]),
    ]


async def test_who_was_told_alone_before_is_covered_and_hears_only_that_it_is_over() -> None:
    fleet = Fleet()
    assert len(await fleet.holds(*names(0, 5))) == 5
    assert await fleet.holds(*names(0, 6)) == ["firing 6 accounts: a run was due and did not happen"]
    (alone,) = [one for one in await fleet.alerts.alerts() if one.account == "a0000"]
    assert (alone.phase, alone.muted) == (Phase.FIRING, MASS)
    assert await fleet.holds(*names(1, 6), seconds=60) == ["resolved a0000"]
    told = await fleet.holds(seconds=60)
    assert told == sorted(
        [*(f"resolved {one}" for one in names(1, 5)), "resolved 5 accounts: a run was due and did not happen"]
    )


async def test_what_is_left_of_many_is_not_told_one_by_one_and_what_comes_then_is() -> None:
    fleet = Fleet()
    await fleet.holds(*names(0, 100))
    for _ in range(5):
        assert await fleet.holds("a0007", seconds=60) == []
    assert (await fleet.standing()).title == "1 account: a run was due and did not happen"
    assert await fleet.holds("a0007", "b1", "b2") == ["firing b1", "firing b2"]
    assert await fleet.holds("b1", "b2", seconds=60) == ["resolved 1 account: a run was due and did not happen"]
    assert await fleet.holds(seconds=60) == ["resolved b1", "resolved b2"]


async def test_many_again_while_one_of_the_first_is_left_are_told_even_if_somebody_has_taken_that_on() -> None:
    fleet = Fleet()
    await fleet.holds(*names(0, 100))
    await acknowledge(fleet.watch, MASS, ALICE)
    assert await fleet.holds(*names(0, 100)) == []
    for _ in range(3):
        await fleet.holds("a0007", seconds=60)
    assert await fleet.holds("a0007", *names(200, 260)) == ["grew 61 accounts: a run was due and did not happen"]
    assert (await fleet.standing()).phase is Phase.FIRING


async def test_accounts_that_come_and_go_within_a_moment_change_nothing() -> None:
    fleet = Fleet()
    await fleet.holds(*names(0, 20))
    for _ in range(10):
        assert await fleet.holds(*names(0, 3), seconds=20) == []
        assert await fleet.holds(*names(0, 20)) == []


async def test_what_is_silenced_is_neither_counted_nor_told() -> None:
    fleet = Fleet()
    for account in names(0, 3):
        said = silence([f"account={account}"], begins=T0, ends=T0 + timedelta(hours=1), by=ALICE, why="moves house")
        await fleet.alerts.silence(said)
    assert await fleet.holds(*names(0, 8)) == [f"firing {one}" for one in names(3, 8)]
    fleet.after(hours=1)
    assert await fleet.holds(*names(0, 8)) == ["firing 8 accounts: a run was due and did not happen"]


async def test_who_is_covered_and_silenced_meanwhile_is_not_told_alone_when_the_silence_ends() -> None:
    fleet = Fleet()
    await fleet.holds(*names(0, 8))
    said = silence(["account=a0000"], begins=T0, ends=T0 + timedelta(hours=1), by=ALICE, why="moves house")
    await fleet.alerts.silence(said)
    assert await fleet.holds(*names(0, 2), seconds=60) == []
    assert (await fleet.standing()).title == "1 account: a run was due and did not happen"
    fleet.after(hours=1)
    assert await fleet.holds(*names(0, 2)) == []


@pytest.mark.parametrize("what", ["kind=run_missed", "exchange=kraken", "severity=high"])
async def test_a_silence_of_all_of_it_keeps_the_alert_open_and_lets_it_be_told_when_it_ends(what: str) -> None:
    fleet = Fleet()
    await fleet.holds(*names(0, 8))
    said = silence([what], begins=fleet.clock.now(), ends=T0 + timedelta(hours=1), by=ALICE, why="known")
    await fleet.alerts.silence(said)
    for _ in range(5):
        assert await fleet.holds(*names(0, 80), seconds=60) == []
    assert ((await fleet.standing()).phase, (await fleet.standing()).muted) == (Phase.FIRING, said.id)
    fleet.after(hours=1)
    assert await fleet.holds(*names(0, 80)) == ["grew 80 accounts: a run was due and did not happen"]


async def test_discrepancies_of_different_accounts_are_never_put_together() -> None:
    fleet = Fleet()
    fleet.holding = {condition(account=account) for account in names(0, 9)}
    await fleet.looked()
    fleet.after(seconds=1)
    assert len(await fleet.looked()) == 9
    assert {AlertKind.DISCREPANCIES, AlertKind.ADJUSTMENT_UNSETTLED} & set(TOGETHER) == set()


steps = st.lists(
    st.tuples(
        st.sampled_from([0.5, 1, 7, 59, 61, 400, 4000]),
        st.sets(st.sampled_from(names(0, 9)), max_size=9),
        st.booleans(),
    ),
    max_size=25,
)


@given(steps)
async def test_whatever_comes_and_goes_each_is_covered_by_one_alert_and_all_is_over_at_the_end(
    steps: list[tuple[float, set[str], bool]],
) -> None:
    fleet = Fleet(alone=3)
    for wait, holding, takes in steps:
        fleet.after(seconds=wait)
        fleet.holding = {missed(account) for account in holding}
        await fleet.looked()
        assert await fleet.looked() == [], "the same look again tells nothing"
        standing = {one.id: one for one in await fleet.alerts.alerts(limit=1000)}
        mass = standing.get(MASS)
        for account in holding:
            (own,) = [one for one in standing.values() if one.account == account]
            assert own.muted in ("", MASS)
            assert not own.muted or (mass is not None and mass.gone_since is None)
        covered = [one for one in standing.values() if one.muted == MASS and one.gone_since is None]
        assert mass is None or mass.gone_since is not None or mass.magnitude == len(covered)
        assert len(holding) - len(covered) <= 3, "more than a few are told one by one"
        if takes and mass is not None and mass.phase is Phase.FIRING:
            await acknowledge(fleet.watch, MASS, ALICE)
    fleet.holding = set()
    for _ in range(3):
        await fleet.looked()
        fleet.after(hours=2)
    assert await fleet.looked() == []
    assert await fleet.alerts.alerts() == ()
    told: dict[str, Counter[What]] = {}
    for one in fleet.notices:
        told.setdefault(one.incident, Counter())[one.what] += 1
    for whats in told.values():
        assert (whats[What.FIRING], whats[What.RESOLVED]) == (1, 1)


@given(st.permutations(names(0, 40)), st.integers(min_value=1, max_value=40))
async def test_however_many_come_one_after_the_other_a_few_notices_tell_of_them(order: list[str], jump: int) -> None:
    fleet = Fleet()
    for count in range(1, 41, jump):
        await fleet.holds(*order[:count])
    for count in range(40, 0, -jump):
        await fleet.holds(*order[:count])
    assert len([one for one in fleet.notices if one.account and one.what is What.FIRING]) <= 5
    # 6, 12, 24: it fires once, and grows by the double.
    assert len([one for one in fleet.notices if not one.account]) <= 3


silenced_steps = st.lists(
    st.tuples(
        st.sampled_from([1, 30, 61, 300]),
        st.sets(st.sampled_from(names(0, 7)), max_size=7),
        st.sampled_from(["", "", "account=a0000", "account=a0003", "kind=run_missed", "kind=run_failed"]),
        st.sampled_from([MISSED, AlertKind.RUN_FAILED]),
    ),
    max_size=20,
)


@given(silenced_steps)
async def test_nothing_is_lost_between_silences_what_explains_and_many_accounts(
    steps: list[tuple[float, set[str], str, AlertKind]],
) -> None:
    fleet = Fleet(alone=2)
    for number, (wait, holding, silenced, kind) in enumerate(steps):
        fleet.after(seconds=wait)
        now = fleet.clock.now()
        if silenced:
            why = f"for step {number}"
            said = silence([silenced], begins=now, ends=now + timedelta(seconds=200), by=ALICE, why=why)
            await fleet.alerts.silence(said)
        # Of the other kind the same stay as they are.
        others = {one for one in fleet.holding if one.kind is not kind}
        fleet.holding = others | {missed(account, kind) for account in holding}
        before = len(fleet.notices)
        await fleet.looked()
        await fleet.looked()  # what explains was over in the first
        quiet = {f"{one.field}={one.value}" for said in await fleet.alerts.silences(since=now) for one in said.matchers}
        for notice in fleet.notices[before:]:
            assert notice.what is What.RESOLVED or not {f"account={notice.account}", f"kind={notice.kind}"} & quiet
        standing = {(one.kind, one.account): one for one in await fleet.alerts.alerts(limit=1000)}
        for one in fleet.holding:
            if {f"account={one.account}", f"kind={one.kind}"} & quiet:
                continue
            own, mass = standing[one.kind, one.account], standing.get((one.kind, ""))
            if own.muted == MASS_IDS[one.kind]:
                assert mass is not None
                assert mass.gone_since is None
                # Where the alert about many is muted, each that it covers has what explains it.
                assert not mass.muted or (one.kind is MISSED and (AlertKind.RUN_FAILED, one.account) in standing)
            elif own.muted:
                assert own.muted == standing[AlertKind.RUN_FAILED, one.account].id
    fleet.holding = set()
    for _ in range(4):
        await fleet.looked()
        fleet.after(hours=2)
    assert await fleet.alerts.alerts() == ()
