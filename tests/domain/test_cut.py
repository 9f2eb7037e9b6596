"""What is in motion between the two readings, and that nothing else is."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.cut import Motion, Reading, cut_of, in_motion
from gal_friday.domain.finding import Agrees, CannotTell, Differs, ExchangeOnly, Finding, InternalOnly, Key, Pending
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.rewind import brought_to_newest, past_of
from gal_friday.domain.snapshot import Coverage, Snapshot
from tests.domain.build import T0, at, balance, covering, exchange, fill, found, internal, movement, order, position
from tests.domain.worlds import Pair, pairs

NOTHING = Motion(frozenset(), frozenset(), frozenset())


def touched(*rows: object) -> tuple[set[str], set[str], set[str]]:
    motion = in_motion(internal(*rows), exchange())
    other = in_motion(internal(), exchange(*rows))
    assert motion == other, "either side may be the one that is ahead"
    return set(motion.assets), set(motion.instruments), set(motion.held)


def test_a_late_fill_touches_both_assets_its_fee_and_its_instrument() -> None:
    late = fill(minute=0.001, fee="1", fee_asset="KFEE")
    assets = {"XRP", "USD", "KFEE"}
    assert touched(late) == (assets, {"XRP/USD"}, assets)


def test_a_late_movement_touches_its_asset() -> None:
    assert touched(movement(minute=0.001)) == ({"XRP"}, set(), {"XRP"})


def test_a_late_order_touches_holds_and_totals_only_if_it_filled() -> None:
    assert touched(order(updated=0.001)) == (set(), set(), {"XRP", "USD"})
    assert touched(order(updated=0.001, filled="1")) == ({"XRP", "USD"}, {"XRP/USD"}, {"XRP", "USD"})
    assert touched(order(updated=None, opened=0.001)) == (set(), set(), {"XRP", "USD"})


@pytest.mark.parametrize("row", [fill(minute=0), movement(minute=0), order(updated=0), order(updated=None)])
def test_what_happened_by_the_instant_of_the_reading_is_in_it(row: object) -> None:
    assert in_motion(internal(row), exchange(row)) == NOTHING


def test_an_instrument_nobody_can_resolve_touches_no_asset_by_guess() -> None:  # I15
    assert touched(fill(minute=1, instrument="?XFOOZUSD")) == (set(), {"?XFOOZUSD"}, set())


def test_each_side_is_judged_by_the_reading_of_the_other() -> None:
    later = exchange(fill(minute=5), as_of=at(10))
    assert in_motion(internal(as_of=at(4)), later).assets == {"XRP", "USD"}
    assert in_motion(internal(as_of=at(5)), later) == NOTHING


def test_the_cut_is_the_instants_of_both_readings() -> None:
    cut = cut_of(internal(), exchange(as_of=at(1)))
    assert (cut.internal, cut.exchange) == (T0, at(1))


# --- with a grace -----------------------------------------------------------------------------

GRACE = timedelta(seconds=90)
YOUNG, OLD = -1.4999, -1.5  # minutes: a tick inside the grace, and exactly at its end


def judged(ours: Snapshot, theirs: Snapshot, **reading: object) -> dict[str, Finding]:
    motion = in_motion(ours, theirs, grace=GRACE, reading=Reading(**reading))  # type: ignore[arg-type]
    return found(ours, theirs, motion=motion)


@pytest.mark.parametrize("make", [fill, movement])
def test_a_record_younger_than_the_grace_is_pending_on_either_side_until_it_is_over(make: object) -> None:  # N6
    young, old = make(minute=YOUNG), make(minute=OLD)  # type: ignore[operator]
    for ours, theirs, lone in ((young, None, InternalOnly), (None, young, ExchangeOnly)):
        (pending,) = judged(internal(*filter(None, [ours])), exchange(*filter(None, [theirs]))).values()
        assert isinstance(pending, Pending)
        assert pending.until == young.at + GRACE
        ours, theirs = (old if ours else None), (old if theirs else None)
        (missing,) = judged(internal(*filter(None, [ours])), exchange(*filter(None, [theirs]))).values()
        assert isinstance(missing, lone)


def test_without_a_grace_two_given_snapshots_are_compared_as_they_are() -> None:
    (missing,) = found(internal(fill(minute=YOUNG)), exchange()).values()
    assert isinstance(missing, InternalOnly)


def test_an_order_whose_fill_is_young_is_not_judged_by_its_state() -> None:
    ours = internal(order(filled="0"))
    young, old = (exchange(order(filled="40"), fill(minute=minute, order_id="OX")) for minute in (YOUNG, OLD))
    assert isinstance(judged(ours, young)["orders:OX"], Pending)
    assert isinstance(judged(ours, old)["orders:OX"], Differs)


def test_a_live_order_that_is_ahead_of_the_list_of_its_fills_is_still_changing() -> None:
    ahead = exchange(order(filled="40"))
    assert isinstance(judged(internal(order(filled="0")), ahead)["orders:OX"], Pending)
    settled = exchange(order(filled="40", status="canceled"))
    assert isinstance(judged(internal(order(filled="0")), settled)["orders:OX"], Differs)


def test_what_is_judged_is_in_the_amounts_that_are_judged_however_far_apart_the_readings_are() -> None:
    """Balances were read first, and the book three minutes later: a row between the two graces is in neither amount."""
    booked, lacking = movement("L2", "-100", minute=-1), movement("L1", "5", kind="adjustment", minute=-1.4)
    missing = movement("L0", "7", kind="deposit", minute=-30)
    ours = internal(balance("XRP", "1000"), booked, as_of=at(3))
    theirs = exchange(balance("XRP", "1012"), missing, lacking, booked)
    findings = judged(ours, theirs)
    off = findings["balances:XRP:spot"]
    assert isinstance(off, Differs)
    assert off.mismatches[0].difference == 7  # type: ignore[union-attr]
    assert {key: type(one) for key, one in findings.items() if key.startswith("movements")} == {
        "movements:L0": ExchangeOnly, "movements:L1": Pending, "movements:L2": Agrees,
    }  # fmt: skip


def test_a_moving_asset_is_judged_by_what_it_was_before() -> None:
    ours = internal(balance("XRP", "140"), movement("L1", "40", minute=YOUNG))
    theirs = exchange(balance("XRP", "100"))
    key = Key(Kind.BALANCES, "XRP", "spot")
    assert isinstance(judged(ours, theirs)[str(key)], Pending)
    assert judged(ours, theirs, ripe=frozenset({key}))[str(key)] == Agrees(key, Decimal(100))
    off = judged(ours, exchange(balance("XRP", "93")))[str(key)]
    assert isinstance(off, Differs)
    assert off.mismatches[0].difference == -7  # type: ignore[union-attr]


def test_sides_that_are_equal_by_what_is_on_its_way_do_not_agree() -> None:  # I7
    """An old shortfall of 40 and a fill of 40 that the exchange does not show yet."""
    ours = internal(balance("XRP", "140"), movement("L1", "40", minute=YOUNG))
    off = judged(ours, exchange(balance("XRP", "140")))["balances:XRP:spot"]
    assert isinstance(off, Differs)
    assert off.mismatches[0].difference == 40  # type: ignore[union-attr]
    held = internal(position("-60"), fill("T2", minute=YOUNG, side="buy", margin=True))
    moving = judged(held, exchange(position("-60")), positions=(at(-2), at(-2)))["positions:XRP/USD:net"]
    assert isinstance(moving, Pending)


def test_a_position_that_is_traded_without_a_pause_is_judged_by_what_it_was_before() -> None:
    ours = internal(position("-60"), fill("T2", minute=YOUNG, side="buy", margin=True))
    theirs = exchange(position("-100"))
    key = Key(Kind.POSITIONS, "XRP/USD", "net")
    seen = {"ripe": frozenset({key}), "positions": (at(-2), at(-2))}
    assert isinstance(judged(ours, theirs, positions=(at(-2), at(-2)))[str(key)], Pending)
    assert isinstance(judged(ours, theirs, **seen)[str(key)], Agrees)
    assert isinstance(judged(ours, exchange(position("-99")), **seen)[str(key)], Differs)


def test_what_cannot_be_wound_back_is_never_agreed() -> None:  # I5, I6
    ours = internal(
        balance("XRP", "140"), movement("L1", "40", minute=YOUNG), coverage=covering("movements", Coverage.PARTIAL)
    )
    key = Key(Kind.BALANCES, "XRP", "spot")
    told = judged(ours, exchange(balance("XRP", "100")), ripe=frozenset({key}))[str(key)]
    assert isinstance(told, CannotTell)


# --- along the rows ---------------------------------------------------------------------------

steps = st.lists(st.tuples(st.sampled_from(["XXRP", "XRP.F"]), st.integers(-50, 50), st.integers(0, 3)), min_size=1)


def chain(moves: list[tuple[str, int, int]]) -> tuple[list[Movement], list[dict[str, Decimal]]]:
    """Return rows with running balances, and what each name held before, between and after them."""
    running = {"XXRP": Decimal(1000), "XRP.F": Decimal(10)}
    rows, states = [], [dict(running)]
    for number, (name, amount, fee) in enumerate(moves):
        running[name] = quantity.add(running[name], Decimal(amount - fee))
        rows.append(
            movement(f"L{number}", str(amount), fee=str(fee), kind="deposit", minute=-30 + number / 10,
                     balance_after=running[name], raw=(name, ""))
        )  # fmt: skip
        states.append(dict(running))
    return rows, states


@given(steps, st.data())
def test_balances_are_brought_to_the_newest_row_to_the_last_digit(
    moves: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    rows, states = chain(moves)
    first = data.draw(st.integers(0, len(rows)))
    read = data.draw(st.integers(first, len(rows)))
    total = quantity.total(states[read].values())
    names = tuple(sorted({row.raw[0] for row in rows}))
    silent = quantity.total(amount for name, amount in states[0].items() if name not in names)
    balances = [balance("XRP", str(quantity.subtract(total, silent)), raw=names)]
    before = rows[first - 1].movement_id if first else None
    brought = brought_to_newest(balances, rows, before=before)
    assert brought.unplaced == frozenset()
    assert brought.balances[0].total == quantity.subtract(quantity.total(states[-1].values()), silent)


@given(steps)
def test_a_balance_that_no_row_leads_to_is_left_alone_and_named(moves: list[tuple[str, int, int]]) -> None:
    rows, _ = chain(moves)
    balances = (balance("XRP", "0.5", raw=("XXRP", "XRP.F")),)
    brought = brought_to_newest(balances, rows, before=None)
    assert brought.balances == balances
    assert brought.unplaced == {("XRP", "spot")}


@given(steps, steps, st.integers(-7, 7))
def test_winding_back_removes_exactly_what_came_after(
    early: list[tuple[str, int, int]], late: list[tuple[str, int, int]], off: int
) -> None:
    """Both sides know the early rows; each may lack any of the late ones, and is off by what it was off before."""
    rows, _ = chain(early)
    young = [replace(row, movement_id=f"Y{n}", at=at(YOUNG)) for n, row in enumerate(chain(late)[0])]
    ours, theirs = young[::2], young[1::2]

    def side(make: Callable[..., Snapshot], own: list[Movement], extra: int) -> Snapshot:
        total = quantity.total(quantity.subtract(row.amount, row.fee) for row in (*rows, *own))
        return make(balance("XRP", str(quantity.add(total, Decimal(extra)))), *rows, *own)

    past = past_of(side(internal, ours, 0), side(exchange, theirs, off), T0 - GRACE)
    assert past is not None
    told = past.balances["XRP", "spot"]  # type: ignore[index]
    assert quantity.subtract(told.exchange, told.internal) == off


def test_an_event_is_wound_back_as_a_whole_though_the_sides_date_it_differently() -> None:
    ours = internal(balance("XRP", "40"), movement("TX:XRP", "40", refers_to="TX", minute=-1.6))
    theirs = exchange(balance("XRP", "40"), movement("L1", "40", refers_to="TX", minute=-1.4))
    past = past_of(ours, theirs, T0 - GRACE)
    assert past is not None
    assert past.balances["XRP", "spot"].internal == past.balances["XRP", "spot"].exchange == 0  # type: ignore[index]


def test_a_row_that_the_exchange_may_know_by_another_id_moves_the_past_away_from_it() -> None:
    ours = internal(balance("XRP", "40"), movement("mine", "40", kind="deposit", minute=-1.55))
    theirs = exchange(balance("XRP", "40"), movement("L1", "40", kind="deposit", minute=-1.45))
    past = past_of(ours, theirs, T0 - GRACE)
    assert past is not None
    assert past.at < at(-1.55) - timedelta(seconds=5)
    assert past.balances["XRP", "spot"].internal == past.balances["XRP", "spot"].exchange == 0  # type: ignore[index]


# --- whatever the worlds ----------------------------------------------------------------------


@given(pairs())
def test_a_grace_judges_every_key_that_is_judged_without_one(pair: Pair) -> None:  # I4
    motion = in_motion(*pair, grace=GRACE)
    with_grace = [each.key for each in compare_snapshots(*pair, motion=motion) if each.key.kind != Kind.SOURCES]
    without = [each.key for each in compare_snapshots(*pair) if each.key.kind != Kind.SOURCES]
    assert with_grace == without


@given(pairs(), st.sampled_from([Kind.BALANCES, Kind.FILLS, Kind.MOVEMENTS, Kind.ORDERS, Kind.POSITIONS]))
def test_no_grace_reads_absence_as_zero_where_the_other_side_was_not_seen_whole(pair: Pair, kind: Kind) -> None:  # I5
    ours = pair[0]
    theirs = replace(pair[1], coverage=covering(kind.value, Coverage.NONE))
    motion = in_motion(ours, theirs, grace=GRACE)
    ripe = frozenset(each.key for each in compare_snapshots(ours, theirs))
    findings = compare_snapshots(ours, theirs, motion=replace(motion, ripe=ripe))
    assert all(isinstance(each, CannotTell) for each in findings if each.key.kind == kind)


@given(pairs())
def test_a_grace_makes_nothing_agree_that_differs_but_by_the_past(pair: Pair) -> None:  # I7
    plain = {each.key: each for each in compare_snapshots(*pair)}
    motion = in_motion(*pair, grace=GRACE)
    for each in compare_snapshots(*pair, motion=motion):
        if isinstance(each, Agrees) and each.key in plain:
            assert isinstance(plain[each.key], Agrees)
