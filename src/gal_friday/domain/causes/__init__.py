"""One recogniser per file: does this cause explain this lead?

A recogniser looks at one lead and at the whole case, and answers with a sentence for people, or not at all. It
never computes an amount: the effect of a lead is fixed before anybody asks why.

Three questions are asked: what is behind a leftover record (``recognise``), behind a finding that has no
amount to bridge (``recognise_record``), and behind an amount that no record explains (``recognise_rest``).
Recognisers exclude each other by their evidence, so that their order decides nothing. Where two still fit,
both are returned: a tie is for a person.
"""

from collections.abc import Callable, Iterable, Sequence

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.cause import Cause
from gal_friday.domain.causes import (
    conversion,
    delisting,
    duplicated_fill,
    duplicated_movement,
    dust,
    earn_transfer,
    exchange_adjustment,
    failed_withdrawal,
    fee_in_other_asset,
    foreign_order,
    ghost_order,
    in_flight,
    incomplete_source,
    internal_transfer,
    liquidation,
    manual_trade,
    missed_cancel,
    missed_fill,
    phantom_record,
    renamed_asset,
    reward,
    rollover,
    rounding,
    settlement,
    stale_book,
    stale_exchange,
    unbooked_deposit,
    unbooked_fee,
    unbooked_withdrawal,
    wrong_amount,
    wrong_opening,
    wrong_price,
    wrong_side,
)
from gal_friday.domain.causes.evidence import Recognised, Rest
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import Kind

__all__ = [
    "RECOGNISERS",
    "RECORD_RECOGNISERS",
    "REST_RECOGNISERS",
    "Recognised",
    "Rest",
    "cause_of_record",
    "causes_of",
    "causes_of_rest",
]

Recogniser = tuple[Cause, Callable[[Lead, Case], str | None]]
RecordRecogniser = tuple[Cause, Callable[[Finding, Case], str | None]]
RestRecogniser = tuple[Cause, Callable[[Rest], str | None]]

RECOGNISERS: tuple[Recogniser, ...] = (
    (Cause.STALE_BOOK, stale_book.recognise),
    (Cause.STALE_EXCHANGE, stale_exchange.recognise),
    (Cause.IN_FLIGHT, in_flight.recognise),
    (Cause.LIQUIDATION, liquidation.recognise),
    (Cause.SETTLEMENT, settlement.recognise),
    (Cause.MISSED_FILL, missed_fill.recognise),
    (Cause.MANUAL_TRADE, manual_trade.recognise),
    (Cause.DUPLICATED_FILL, duplicated_fill.recognise),
    (Cause.DUPLICATED_MOVEMENT, duplicated_movement.recognise),
    (Cause.WRONG_SIDE, wrong_side.recognise),
    (Cause.WRONG_PRICE, wrong_price.recognise),
    (Cause.WRONG_AMOUNT, wrong_amount.recognise),
    (Cause.FEE_IN_OTHER_ASSET, fee_in_other_asset.recognise),
    (Cause.UNBOOKED_FEE, unbooked_fee.recognise),
    (Cause.ROLLOVER, rollover.recognise),
    (Cause.REWARD, reward.recognise),
    (Cause.UNBOOKED_DEPOSIT, unbooked_deposit.recognise),
    (Cause.UNBOOKED_WITHDRAWAL, unbooked_withdrawal.recognise),
    (Cause.FAILED_WITHDRAWAL, failed_withdrawal.recognise),
    (Cause.CONVERSION, conversion.recognise),
    (Cause.EARN_TRANSFER, earn_transfer.recognise),
    (Cause.INTERNAL_TRANSFER, internal_transfer.recognise),
    (Cause.EXCHANGE_ADJUSTMENT, exchange_adjustment.recognise),
    (Cause.DELISTING, delisting.recognise),
    (Cause.RENAMED_ASSET, renamed_asset.recognise),
    (Cause.PHANTOM_RECORD, phantom_record.recognise),
)
"""What is behind a leftover record."""

RECORD_RECOGNISERS: tuple[RecordRecogniser, ...] = (
    (Cause.STALE_EXCHANGE, stale_exchange.recognise_record),
    (Cause.IN_FLIGHT, in_flight.recognise_record),
    (Cause.LIQUIDATION, liquidation.recognise_record),
    (Cause.SETTLEMENT, settlement.recognise_record),
    (Cause.MISSED_FILL, missed_fill.recognise_record),
    (Cause.MANUAL_TRADE, manual_trade.recognise_record),
    (Cause.DUPLICATED_FILL, duplicated_fill.recognise_record),
    (Cause.WRONG_SIDE, wrong_side.recognise_record),
    (Cause.WRONG_AMOUNT, wrong_amount.recognise_record),
    (Cause.FEE_IN_OTHER_ASSET, fee_in_other_asset.recognise_record),
    (Cause.UNBOOKED_FEE, unbooked_fee.recognise_record),
    (Cause.MISSED_CANCEL, missed_cancel.recognise_record),
    (Cause.GHOST_ORDER, ghost_order.recognise_record),
    (Cause.FOREIGN_ORDER, foreign_order.recognise_record),
    (Cause.INCOMPLETE_SOURCE, incomplete_source.recognise_record),
)
"""What is behind an order, a hold, or records of one side that contradict each other."""

REST_RECOGNISERS: tuple[RestRecogniser, ...] = (
    (Cause.STALE_BOOK, stale_book.recognise_rest),
    (Cause.STALE_EXCHANGE, stale_exchange.recognise_rest),
    (Cause.RENAMED_ASSET, renamed_asset.recognise_rest),
    (Cause.EARN_TRANSFER, earn_transfer.recognise_rest),
    (Cause.INTERNAL_TRANSFER, internal_transfer.recognise_rest),
    (Cause.WRONG_AMOUNT, wrong_amount.recognise_rest),
    (Cause.ROUNDING, rounding.recognise_rest),
    (Cause.WRONG_OPENING, wrong_opening.recognise_rest),
    (Cause.INCOMPLETE_SOURCE, incomplete_source.recognise_rest),
    (Cause.DUST, dust.recognise_rest),
)
"""What is behind an amount that no record explains."""

# A side that stopped is why everything after that instant is missing, whatever each of it is.
_ABOUT_A_WHOLE_SIDE = frozenset({Cause.STALE_BOOK, Cause.STALE_EXCHANGE})
# These say only that nothing better is known: the exchange denies it, unread rows may explain it, or it is too
# little to look for.
_LAST_RESORTS = (Cause.PHANTOM_RECORD, Cause.INCOMPLETE_SOURCE, Cause.DUST)


def _telling(found: Sequence[Recognised]) -> Sequence[Recognised]:
    """Return of several causes those that say more than the others; all where none does."""
    whole = [each for each in found if each.cause in _ABOUT_A_WHOLE_SIDE]
    return whole or [each for each in found if each.cause not in _LAST_RESORTS] or found[:1]


def causes_of(lead: Lead, case: Case) -> tuple[Recognised, ...]:
    """Return every cause that explains this lead; one where the evidence decides, none where nothing fits."""
    found = [Recognised(cause, note) for cause, ask in RECOGNISERS if (note := ask(lead, case)) is not None]
    return tuple(_telling(found))


def cause_of_record(finding: Finding, case: Case, of_leads: Iterable[Recognised]) -> Recognised | None:
    """Return the cause of a finding about an order, fill, movement, hold or source; None where nothing fits.

    *of_leads* is what its leads were recognised as. Where several fit and the records do not decide, the cause is
    unexplained, and the note says between which.
    """
    # Of a movement its leads tell everything.
    asked = () if finding.key.kind is Kind.MOVEMENTS else RECORD_RECOGNISERS
    found = {cause: note for cause, ask in asked if (note := ask(finding, case)) is not None}
    found |= {each.cause: each.note for each in of_leads}
    causes = _telling([Recognised(cause, note) for cause, note in found.items()])
    if len(causes) > 1:
        return Recognised(Cause.UNEXPLAINED, "undecided between " + " and ".join(sorted(each.cause for each in causes)))
    return causes[0] if causes else None


def causes_of_rest(rest: Rest) -> tuple[Recognised, ...]:
    """Return every cause that explains this amount without a record; none where nothing fits."""
    found = [Recognised(cause, note) for cause, ask in REST_RECOGNISERS if (note := ask(rest)) is not None]
    return tuple([each for each in found if each.cause not in _LAST_RESORTS] or found[:1])
