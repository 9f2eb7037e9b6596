"""The comparison against a naive second opinion that shares no code with it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import Agrees, Differs, ExchangeOnly, Finding, Inconsistent, InternalOnly
from gal_friday.domain.records import Balance, Fill
from tests.domain.build import T0, exchange, internal
from tests.domain.oracle import expected_balances, expected_fills
from tests.domain.worlds import balances, fills

known_balances = balances.filter(lambda row: not row.asset.startswith("?")).map(lambda row: replace(row, held=None))
known_fills = fills.filter(lambda row: not row.instrument.startswith("?")).map(
    lambda row: replace(row, at=T0, fee_asset=None if (row.fee_asset or "").startswith("?") else row.fee_asset)
)


def said(finding: Finding) -> str:
    match finding:
        case Agrees():
            return "agrees"
        case InternalOnly(repeats=()):
            return "internal only"
        case ExchangeOnly(repeats=()):
            return "exchange only"
        case InternalOnly() | ExchangeOnly():
            return "told twice"
        case Differs(_, mismatches):
            return "told twice" if any(isinstance(m, Inconsistent) for m in mismatches) else "differs"
        case _:
            return type(finding).__name__


def compared(ours: list[Balance] | list[Fill], theirs: list[Balance] | list[Fill]) -> dict[str, str]:
    findings = compare_snapshots(internal(*ours), exchange(*theirs))
    return {str(finding.key): said(finding) for finding in findings}


@settings(max_examples=150)
@given(ours=st.lists(known_balances, max_size=6), theirs=st.lists(known_balances, max_size=6))
def test_balances_are_judged_as_the_contract_says(ours: list[Balance], theirs: list[Balance]) -> None:
    assert compared(ours, theirs) == expected_balances(ours, theirs)


@settings(max_examples=150)
@given(ours=st.lists(known_fills, max_size=5), theirs=st.lists(known_fills, max_size=5), same=st.booleans())
def test_fills_are_judged_as_the_contract_says(ours: list[Fill], theirs: list[Fill], same: bool) -> None:
    theirs = [*theirs, *ours[:2]] if same else theirs
    assert compared(ours, theirs) == expected_fills(ours, theirs)
