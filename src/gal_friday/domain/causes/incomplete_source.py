"""Records are missing from what was read, so that nothing can be concluded from those that are there.

Evidence: a side says itself that its records are partial, or why it could not read them; or its own orders do
not follow from its own fills. What is left of a difference may then be one of the rows that were not read.

Not to be confused with a difference that remains although both sides were read in full (`unexplained`), or
with a side that keeps no records at all and never claimed to.
"""

from gal_friday.domain.case import Case, once
from gal_friday.domain.causes.evidence import Rest
from gal_friday.domain.finding import Differs, DiscrepancyType, Finding
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Side, Snapshot


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where the exchange's order and fills, or its balances and rows, do not fit together."""
    del case
    if not isinstance(finding, Differs) or finding.key.part != "exchange":
        return None
    types = {mismatch.type for mismatch in finding.mismatches}
    if not types & {DiscrepancyType.ORDER_FILLS_MISMATCH, DiscrepancyType.LEDGER_GAP}:
        return None
    return "the exchange's own records do not follow from each other: some of them were not read"


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where rows that were not read may be what is left."""
    return _unread(rest.case, Kind.FILLS if rest.place.kind is Kind.POSITIONS else Kind.MOVEMENTS)


@once
def _unread(case: Case, kind: Kind) -> str | None:
    sides: tuple[Side, ...] = ("exchange", "internal")
    for side in sides:
        snapshot = case.snapshot(side)
        said = _said(snapshot, kind)
        if snapshot.coverage.of(kind) == Coverage.PARTIAL or said:
            because = f": {said[0]}" if said else ""
            return f"the {kind} of the {side} side were not all read{because}"
    return None


def _said(snapshot: Snapshot, kind: Kind) -> list[str]:
    return [gap.reason for gap in snapshot.not_checked if gap.kind is kind]
