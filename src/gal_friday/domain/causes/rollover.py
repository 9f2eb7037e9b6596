"""The fee for keeping a margin position open, every four hours.

Evidence: the exchange's row says so by its kind; it refers to the position and moves nothing but a fee. The book
lacks it, or has it in another size, direction, wallet or asset.

Not to be confused with the fee of the fill that opened the position, although both can refer to the same id.
Source: Kraken support, "Rollover fees".
"""

from collections.abc import Iterable
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import net_of, told
from gal_friday.domain.compare.stake import net
from gal_friday.domain.records import Movement


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this rollover is missing from the book or differs there."""
    if lead.kind != "rollover" or lead.what not in ("missing", "differs") or not lead.effect:
        return None
    position = next((row.refers_to for row in lead.rows if row.refers_to), lead.event)
    name = f"rollover{'s' if len(lead.rows) > 1 else ''} of position {position}"
    asset, took = lead.place.name, net_of(lead.rows)
    had = quantity.subtract(took, lead.effect)
    versions = _of_two_places(lead, case)
    if versions is not None:
        return f"{name} {_at(versions[1], versions)}, and the book says that it {_at(versions[0], versions)}"
    if lead.side == "internal":
        return None
    if not had:
        return f"{name} {_did(took, asset)} and {'were' if len(lead.rows) > 1 else 'was'} not booked"
    if (had > 0) != (took > 0):
        return f"{name} {_did(took, asset)}, and the book says that it {_did(had, asset)}"
    return f"{name} {_did(took, asset)}, not {quantity.short(quantity.absolute(had))} as booked"


def _did(amount: Decimal, asset: str) -> str:
    return f"{'gave back' if amount > 0 else 'took'} {told(amount, asset)}"


def _at(row: Movement, versions: Iterable[Movement]) -> str:
    where = f" in {row.wallet}" if len({each.wallet for each in versions}) > 1 else ""
    return f"{_did(net(row), row.asset)}{where}"


def _of_two_places(lead: Lead, case: Case) -> tuple[Movement, Movement] | None:
    """Return the book's and the exchange's version of a row that stands in two places; None where it does not."""
    name = lead.rows[0].movement_id
    ours, theirs = (
        next((row for row in case.rows[side].get(name, ()) if row.movement_id == name), None)
        for side in ("internal", "exchange")
    )
    if ours is None or theirs is None or (ours.asset, ours.wallet) == (theirs.asset, theirs.wallet):
        return None
    return ours, theirs
