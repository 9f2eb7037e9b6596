"""What was handed over, row by row: written with the intention, before anything is sent, and never changed."""

from datetime import datetime

import msgspec
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.sql.tables import ADJUSTMENTS, HANDOVERS
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.handover import Handover

_OUT, _KEPT = HANDOVERS.c, ADJUSTMENTS.c
_LOCK = 733_194_221  # Any number, the same in every process.
_OPEN = (AdjustmentState.INTENDED.value, AdjustmentState.OUTCOME_UNKNOWN.value)


async def write_down(connection: AsyncConnection, handover: Handover, *, place: str, at: datetime) -> None:
    """Add what is about to be sent."""
    known = select(func.count()).where(_OUT.adjustment_id == handover.adjustment_id)
    row = {
        "adjustment_id": handover.adjustment_id,
        "number": (await connection.execute(known)).scalar_one() + 1,
        "account": handover.account,
        "at": at,
        "token": handover.token,
        "content": handover.content,
        "place": place,
        "body": handover.body.decode(),
    }
    await connection.execute(insert(HANDOVERS), row)


async def sent(connection: AsyncConnection, adjustment_id: str, *, token: int | None) -> Handover | None:
    """Return what was sent of this adjustment the last time, to be asked about with *token*; None where nothing was."""
    query = select(HANDOVERS).where(_OUT.adjustment_id == adjustment_id).order_by(_OUT.number.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    was = Handover(
        adjustment_id=adjustment_id,
        account=row.account,
        content=row.content,
        token=row.token,
        body=row.body.encode(),
    )
    return was if token is None else msgspec.structs.replace(was, token=token)


async def hold(connection: AsyncConnection, account: str) -> None:
    """Let nobody else begin to hand anything of this account over until this transaction ends."""
    if connection.dialect.name == "postgresql":  # SQLite holds the lock on the whole file already.
        lock = text("SELECT pg_advisory_xact_lock(:ours, hashtext(:account))")
        await connection.execute(lock, {"ours": _LOCK, "account": account})


async def unanswered(connection: AsyncConnection, account: str, *, but: str) -> str | None:
    """Return another adjustment of this account that is about to be handed over, or of unknown outcome."""
    wanted = (_KEPT.account == account) & _KEPT.state.in_(_OPEN) & (_KEPT.adjustment_id != but)
    query = select(_KEPT.adjustment_id).where(wanted).order_by(_KEPT.at).limit(1)
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found
