"""The book has a record that the exchange, seen in full, denies, and nothing better explains it.

Evidence: the exchange was asked for all of its records and has nothing of this event, under no id; and the
record is older than the exchange's answers may lag behind, or than such a movement may take.

Not to be confused with what is young (`in_flight`, `stale_exchange`), with a copy of a record that the exchange
has (`duplicated_fill`, `duplicated_movement`), with a withdrawal that was never carried out, or with a record that
the exchange has under another id: where it has one of the same kind and size that the book lacks, nothing is said.
"""

from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.evidence import age, is_trade, other_version, rows_of, takes, told
from gal_friday.domain.records import Fill, Movement


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the exchange would have to have this record, and has none like it."""
    if lead.what != "phantom" or age(lead.at, case) <= takes(lead.kind) or _has_it(lead, case):
        return None
    noun = "fill" if is_trade(lead) else lead.kind
    size = f" of {told(lead.moved, lead.place.name)}" if lead.moved else ""
    return f"the book has {noun} {lead.event}{size}, which the exchange, seen in full, does not know"


def _has_it(lead: Lead, case: Case) -> bool:
    """Say whether the exchange has anything of this event, or something like it that the book lacks."""
    if rows_of(case, "exchange", lead) or lead.event in case.fills["exchange"] or other_version(lead, case):
        return True
    fill = case.fills["internal"].get(lead.event)
    if fill is not None:
        return _execution(fill) in _lone_fills(case)
    return any(_content(row) in _lone_rows(case) for row in lead.rows)


@once
def _lone_fills(case: Case) -> frozenset[tuple[object, ...]]:
    """Return what was done in the fills that only the exchange has."""
    ours = case.fills["internal"]
    return frozenset(_execution(fill) for fill in case.exchange.fills if fill.fill_id not in ours)


def _execution(fill: Fill) -> tuple[object, ...]:
    return fill.instrument, fill.side, fill.quantity, fill.price


@once
def _lone_rows(case: Case) -> frozenset[tuple[object, ...]]:
    """Return what was moved by the rows of which the book has neither the id nor the event."""
    ours = case.rows["internal"]
    rows = (row for row in case.exchange.movements if row.movement_id not in ours and row.refers_to not in ours)
    return frozenset(map(_content, rows))


def _content(row: Movement) -> tuple[object, ...]:
    return row.kind, row.asset, row.wallet, row.amount
