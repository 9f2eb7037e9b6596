"""A finding about a fill or a movement as the leads that it amounts to, whatever it does to an amount.

A spot fill has no effect of its own on a balance (its movements have), and yet somebody asks why it is missing.
"""

from collections.abc import Iterator

from gal_friday.domain.case import Case, Lead, Place, What
from gal_friday.domain.causes.evidence import net_of
from gal_friday.domain.compare.stake import signed
from gal_friday.domain.finding import Differs, ExchangeOnly, Finding, Inconsistent, InternalOnly, Key
from gal_friday.domain.records import Fill, Kind, Movement
from gal_friday.domain.snapshot import Side


def leads_about(finding: Finding, case: Case) -> Iterator[Lead]:
    """Yield a lead for each way in which this fill or movement is left over; none for other kinds."""
    match finding.key.kind:
        case Kind.FILLS:
            for what, side in _ways(finding):
                fill = case.fills[side].get(finding.key.name)
                if fill is not None:
                    yield _of_fill(what, fill)
        case Kind.MOVEMENTS:
            for what, side in _ways(finding):
                rows = _rows(case, side, finding.key)
                if rows:
                    yield _of_rows(what, finding.key, rows)
        case _:
            return


def _ways(finding: Finding) -> Iterator[tuple[What, Side]]:
    match finding:
        case ExchangeOnly():
            yield "missing", "exchange"
        case InternalOnly(repeats=repeats):
            yield "phantom", "internal"
            if any(repeat.side == "internal" for repeat in repeats):
                yield "duplicated", "internal"
        case Differs(mismatches=mismatches):
            if any(isinstance(each, Inconsistent) and each.side == "internal" for each in mismatches):
                yield "duplicated", "internal"
            if not all(isinstance(each, Inconsistent) for each in mismatches):
                yield "differs", "exchange"
        case _:
            return


def _of_fill(what: What, fill: Fill) -> Lead:
    place, size = Place(Kind.FILLS, fill.instrument, ""), signed(fill.quantity, fill.side)
    return Lead(place, what, size, fill.fill_id, (fill.fill_id,), fill.at, "fill", (), fill)


def _rows(case: Case, side: Side, key: Key) -> tuple[Movement, ...]:
    """Return the rows of one side that a finding is about."""
    rows = case.rows[side].get(key.name, ())
    if not key.part:
        return tuple(row for row in rows if row.movement_id == key.name)
    return tuple(row for row in rows if f"{key.part}:".startswith(f"{row.asset}:{row.wallet}:"))


def _of_rows(what: What, key: Key, rows: tuple[Movement, ...]) -> Lead:
    first = rows[0]
    return Lead(
        place=Place(Kind.BALANCES, first.asset, first.wallet),
        what=what,
        effect=net_of(rows),
        event=first.refers_to or key.name,
        record_ids=tuple(dict.fromkeys(row.movement_id for row in rows)),
        at=max(row.at for row in rows),
        kind=first.kind,
        rows=rows,
    )
