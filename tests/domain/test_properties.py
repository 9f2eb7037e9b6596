"""What holds for every pair of sides: labels are those of the rules in the design."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, is_unresolved
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Pending,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Fill, Kind, Movement, Order, Position, Record, known_status
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.snapshot import Coverage, Snapshot
from tests.domain.build import exchange, internal
from tests.domain.worlds import Pair, every_row, pairs, rebuilt, records

keys = st.builds(
    Key,
    st.sampled_from(list(Kind)),
    st.sampled_from(["A", "BTC", "XRP/USD", "holds:BTC"]),
    st.sampled_from(["", "spot", "net"]),
)


def by_key(pair: Pair, **more: Any) -> dict[Key, Finding]:
    findings = compare_snapshots(*pair, **more)
    found = {finding.key: finding for finding in findings}
    assert len(found) == len(findings) == len({str(key) for key in found})
    return found


@given(pair=pairs(), watched=st.lists(keys, max_size=3))
def test_every_key_has_exactly_one_finding(pair: Pair, watched: list[Key]) -> None:  # I4
    found = by_key(pair, watched=watched)
    assert {key for key in watched if key.kind != Kind.SOURCES} <= found.keys()


def names_of(row: Record) -> set[str]:
    match row:
        case Fill():
            return {row.fill_id}
        case Movement():
            return {row.movement_id, row.refers_to or row.movement_id}
        case Order():
            return {name for name in (row.order_id, row.client_order_id) if name}
        case _:
            return {str(getattr(row, "asset", None) or getattr(row, "instrument", ""))}


@given(pair=pairs(covered=True))
def test_every_record_of_either_side_is_covered_by_a_finding(pair: Pair) -> None:  # I4
    found = by_key(pair)
    for snapshot in pair:
        for kind in RECORD_KINDS:
            judged = {key.name for key in found if key.kind == kind}
            client_ids = {o.order_id for side in pair for o in side.orders if o.order_id}
            for row in snapshot.rows(kind):
                known_elsewhere = isinstance(row, Order) and not row.order_id and bool(judged & client_ids)
                # A movement with one id on both sides may belong to the event that only the other names.
                other_event = isinstance(row, Movement) and any(
                    twin.movement_id == row.movement_id and twin.refers_to in judged
                    for side in pair
                    for twin in side.movements
                )
                assert names_of(row) & judged or known_elsewhere or other_event


@given(pair=pairs(), chance=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(pair: Pair, chance: Any) -> None:  # I12
    def shuffled(rows: list[Any]) -> list[Any]:
        chance.shuffle(rows)
        return rows

    other = rebuilt(pair[0], shuffled), rebuilt(pair[1], shuffled)
    assert compare_snapshots(*pair) == compare_snapshots(*other)
    assert compare(*pair).to_json() == compare(*other).to_json()


@given(rows=st.lists(records, max_size=8))
def test_a_side_agrees_with_its_equal(rows: list[Record]) -> None:
    for finding in compare_snapshots(internal(*rows), exchange(*rows)):
        match finding:
            case Agrees():
                pass
            case Differs(_, mismatches):
                # What stands on both sides alike may still contradict itself, be listed twice, or be a riddle to both.
                assert all(
                    isinstance(mismatch, Inconsistent) or mismatch.type is DiscrepancyType.UNRESOLVED_NAME
                    for mismatch in mismatches
                )
            case Pending() if any(map(_is_riddle, rows)):
                pass
            case _:
                raise AssertionError(finding)


def _is_riddle(row: Record) -> bool:
    """Say whether nobody knows a name in this record: while it is in motion, that is not reported yet."""
    match row:
        case Order():
            return is_unresolved(row.instrument) or not known_status(row.status)
        case Fill() | Position():
            return is_unresolved(row.instrument)
        case _:
            return is_unresolved(row.asset)


@given(pair=pairs(), row=st.builds(lambda row: row, records))
def test_the_same_record_on_both_sides_changes_no_other_finding_about_records(pair: Pair, row: Record) -> None:
    taken = {name for snapshot in pair for each in every_row(snapshot) for name in names_of(each)}
    if isinstance(row, Fill):
        fresh: Record = replace(row, fill_id="NEW", order_id=None)
    elif isinstance(row, Movement):
        fresh = replace(row, movement_id="NEW", refers_to=None)
    elif isinstance(row, Order):
        fresh = replace(row, order_id="NEW", client_order_id=None, opened_at=None, updated_at=None)
    else:
        return
    if isinstance(fresh, Fill | Movement):
        # Old, so that it puts nothing in motion.
        fresh = replace(fresh, at=fresh.at.replace(year=2020))
    assert "NEW" not in taken
    before = {key: _without_reason(finding) for key, finding in by_key(pair).items()}
    added = [
        replace(snapshot, **{kind: (*getattr(snapshot, kind), fresh)})
        for snapshot in pair
        for kind in [f"{type(fresh).__name__.lower()}s"]
    ]
    after = {key: _without_reason(finding) for key, finding in by_key((added[0], added[1])).items()}
    assert {key: after.get(key) for key in before} == before
    assert {key.name.rpartition(":")[2] for key in after.keys() - before.keys()} <= {"NEW"}


def _without_reason(finding: Finding) -> Finding:
    return replace(finding, reason="") if isinstance(finding, CannotTell) else finding


def green(report: ReconciliationReport) -> bool:
    return report.verdict == "reconciled"


@given(pair=pairs())
def test_what_was_not_covered_gives_neither_a_discrepancy_nor_a_green_verdict(pair: Pair) -> None:  # I5, I6
    report = compare(*pair)
    covered = {kind: [side.coverage.of(kind) for side in pair] for kind in RECORD_KINDS}
    spoken = {
        kind
        for kind in RECORD_KINDS
        if any(side.rows(kind) or side.coverage.of(kind) != Coverage.NONE for side in pair)
    }
    if any(set(covered[kind]) != {Coverage.TOTAL} for kind in spoken) or not spoken:
        assert not green(report)
    for finding in report.findings:
        kind = Kind.BALANCES if finding.key.kind == Kind.HOLDS else finding.key.kind
        if kind == Kind.SOURCES:
            continue
        if Coverage.NONE in covered[kind]:
            assert isinstance(finding, CannotTell)
        if isinstance(finding, InternalOnly):
            assert pair[1].coverage.of(kind) == Coverage.TOTAL
        if isinstance(finding, ExchangeOnly):
            assert pair[0].coverage.of(kind) == Coverage.TOTAL


@given(pair=pairs(), coverage=st.sampled_from([Coverage.PARTIAL, Coverage.NONE]), kind=st.sampled_from(RECORD_KINDS))
def test_seeing_less_never_makes_a_discrepancy_or_a_green_verdict(  # I5, I6
    pair: Pair, coverage: Coverage, kind: Kind
) -> None:
    blind = tuple(replace(side, coverage=replace(side.coverage, **{kind: coverage})) for side in pair)
    before, after = by_key(pair), by_key((blind[0], blind[1]))
    for key, finding in after.items():
        if isinstance(finding, Differs | InternalOnly | ExchangeOnly) and key.kind == kind:
            assert isinstance(before.get(key), Differs | InternalOnly | ExchangeOnly | CannotTell)
    if pair[0].rows(kind) or pair[1].rows(kind):
        assert not green(compare(blind[0], blind[1]))


@given(pair=pairs(covered=True))
def test_an_unresolved_name_is_never_taken_for_a_canonical_one(pair: Pair) -> None:  # I15
    stranger = any(row.total for row in pair[1].balances if row.asset.startswith("?"))
    for finding in compare_snapshots(*pair):
        if finding.key.kind == Kind.BALANCES and isinstance(finding, InternalOnly) and stranger:
            assert finding.key.name.startswith("?")
        if finding.key.name.startswith("?") and isinstance(finding, InternalOnly | ExchangeOnly):
            assert finding.type == "unresolved_name"


def amounts_in(value: object) -> list[object]:
    match value:
        case dict():
            return [inner for each in value.values() for inner in amounts_in(each)]
        case list():
            return [inner for each in value for inner in amounts_in(each)]
        case _:
            return [value]


@given(pair=pairs())
def test_no_float_and_no_exponent_is_in_a_report(pair: Pair) -> None:  # I1
    import msgspec

    report = compare(*pair)
    plain = msgspec.json.decode(report.to_json())
    assert plain.pop("duration_seconds") == 0
    assert not [value for value in amounts_in(plain) if isinstance(value, float)]
    texts = [value for value in amounts_in(plain["findings"]) if isinstance(value, str)]
    assert not [text for text in texts if text[:1].isdigit() and "E" in text.upper()]
    assert not [text for text in texts if text.startswith("-0") and not text.strip("-0.")]


@given(pair=pairs(covered=True))
def test_every_difference_is_exchange_minus_internal_to_the_last_digit(pair: Pair) -> None:  # I2
    for finding in compare_snapshots(*pair):
        for mismatch in finding.mismatches if isinstance(finding, Differs) else ():
            if isinstance(mismatch, AmountMismatch):
                assert quantity.add(mismatch.internal, mismatch.difference) == mismatch.exchange


def scaled(snapshot: Snapshot, factor: Decimal, names: dict[str, str]) -> Snapshot:
    """Return the side with every size times *factor* and every asset renamed; prices stay what they are."""

    def times(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else quantity.multiply(amount, factor)

    def name(text: str) -> str:
        return "/".join(names.get(part, part) for part in text.split("/"))

    sized = ("total", "held", "quantity", "filled", "fee", "amount")
    named = {"asset": Asset, "fee_asset": Asset, "instrument": Instrument}

    def change(row: Any) -> Any:
        fields: dict[str, Any] = {field: times(getattr(row, field)) for field in sized if hasattr(row, field)}
        fields |= {
            field: kind(name(value))
            for field, kind in named.items()
            if (value := getattr(row, field, None)) is not None
        }
        return replace(row, **fields)

    return rebuilt(snapshot, lambda rows: [change(row) for row in rows])


def shape(finding: Finding) -> object:
    match finding:
        case Differs(_, mismatches):
            return [(mismatch.type, mismatch.field) for mismatch in mismatches]
        case InternalOnly() | ExchangeOnly():
            return type(finding).__name__, finding.type, [told.type for told in finding.repeats]
        case _:
            return type(finding).__name__


@given(pair=pairs())
def test_scaling_all_amounts_and_renaming_all_assets_changes_no_finding(pair: Pair) -> None:
    names = {"BTC": "BTD", "XRP": "XRQ", "USD": "USE"}  # the same order, so that ties fall the same way
    other = scaled(pair[0], Decimal(10), names), scaled(pair[1], Decimal(10), names)
    policy, wider = Policy(), Policy(tolerance=Decimal("0.0000001"))
    before = compare_snapshots(*pair, policy=policy)
    after = compare_snapshots(*other, policy=wider)
    if not _listed_twice(pair):
        assert [shape(finding) for finding in before] == [shape(finding) for finding in after]


def _listed_twice(pair: Pair) -> bool:
    """Say whether some name stands twice on a side: which content is compared then follows from its digits."""
    for snapshot in pair:
        for rows in (snapshot.balances, snapshot.positions, snapshot.orders, snapshot.fills, snapshot.movements):
            names = [name for row in rows for name in names_of(row)]
            if len(names) != len(set(names)):
                return True
    return False
