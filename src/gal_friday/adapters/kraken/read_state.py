"""What the account holds now: balances and margin positions.

Source: Kraken REST documentation, Get Extended Balance, Get Open Positions, Get Trade Balance.
"""

from collections.abc import Sequence
from decimal import Decimal

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.endpoints import BALANCE_EX, LEDGERS, OPEN_POSITIONS, TRADE_BALANCE
from gal_friday.adapters.kraken.parse_holdings import balances, positions
from gal_friday.adapters.kraken.session import Session, coverage_of
from gal_friday.adapters.kraken.trail import Trail
from gal_friday.domain.quantity import short
from gal_friday.domain.records import Balance, Position
from gal_friday.ports.errors import ExchangeFailed
from gal_friday.ports.exchange import Reading

_LOOKS = 2


async def read_balances(session: Session) -> Reading[Balance]:
    """Return every balance of the account, zero ones included. One answer holds them all.

    An answer without a single balance means an account that never held anything. It is believed only if
    the ledger has no row either (N1).
    """
    trail = session.trail()
    reasons: tuple[str, ...] = ()
    found: tuple[Balance, ...] = ()
    for _ in range(_LOOKS):
        found = balances(await session.rows(BALANCE_EX, {}, trail), session.names)
        reasons = () if found else await _against_ledger(session, trail)
        if not reasons:
            break
    return Reading(
        rows=found,
        coverage=coverage_of(reasons),
        reasons=reasons,
        notes=trail.notes,
        evidence=trail.evidence,
    )


async def read_positions(session: Session) -> Reading[Position]:
    """Return the open lots, held against what the trade balance says about them.

    The trade balance is the only thing that would notice a list without its positions, or one of positions that
    are closed: Kraken keeps no history of them. So a list that is empty while the account shows cost of open
    positions, or the other way round, is read twice; if the two still contradict each other, or the trade
    balance cannot be read, the list is not taken as whole (N1).
    """
    trail = session.trail()
    found: tuple[Position, ...] = ()
    reasons: tuple[str, ...] = ()
    for _ in range(_LOOKS):
        rows = await session.rows(OPEN_POSITIONS, {"docalcs": "false"}, trail)
        found = positions(rows, session.names)
        try:
            reasons = _contradictions(found, await _cost_of_open_positions(session, trail))
        except ExchangeFailed as error:
            reasons = (f"Kraken lists {_counted(found)}, and the trade balance cannot confirm it: {error}",)
            break
        if not reasons:
            break
    return Reading(
        rows=found,
        coverage=coverage_of(reasons),
        reasons=reasons,
        notes=trail.notes,
        evidence=trail.evidence,
    )


async def _against_ledger(session: Session, trail: Trail) -> tuple[str, ...]:
    try:
        rows = await session.rows(LEDGERS, {}, trail, "ledger")
    except ExchangeFailed as error:
        return (f"Kraken shows no balance at all, and the ledger cannot confirm it: {error}",)
    if not rows:
        return ()
    return ("Kraken shows no balance at all although the ledger has rows; run again, or look at the exchange",)


def _contradictions(found: Sequence[Position], cost: Decimal) -> tuple[str, ...]:
    if bool(cost) == any(lot.quantity for lot in found):
        return ()
    shown = f"Kraken lists {_counted(found)} while its trade balance shows a cost of {short(cost)}"
    return (f"{shown}; run again, or look at the positions at the exchange",)


def _counted(found: Sequence[Position]) -> str:
    return f"{len(found) or 'no'} open position{'' if len(found) == 1 else 's'}"


async def _cost_of_open_positions(session: Session, trail: Trail) -> Decimal:
    reply = await session.client.call(TRADE_BALANCE, {"asset": "ZUSD"})
    if not isinstance(reply.result, dict):
        wire.refuse((reply.endpoint, ""), "", "an object was expected")
    trail.add(reply, 1)
    return wire.amount(reply.result, "c", (reply.endpoint, ""))
