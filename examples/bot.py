"""A small bot: it asks the gate before it trades, and pushes what it traded.

    GAL_FRIDAY_URL=http://127.0.0.1:8321 GAL_FRIDAY_TOKEN=gf_… python examples/bot.py main BTC/USD

``gal-friday token create bot --accounts main --scopes read,feed`` makes the token: ``read`` is for the gate, ``feed``
for the book. The trade itself is made up here: try it on the account of the demo, never on a book of your own.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from gal_friday.client import Client, Problem, Unreachable
from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.records import Fill, OrderSide


def traded(instrument: str) -> Fill:
    """Return the fill that a real bot would get from its exchange."""
    return Fill(
        fill_id="TBOT-00001",
        order_id="OBOT-00001",
        instrument=Instrument(instrument),
        side=OrderSide.BUY,
        quantity=Decimal("0.001"),
        price=Decimal("60000.0"),
        fee=Decimal("0.156"),
        fee_asset=Asset("USD"),
        at=datetime(2026, 1, 31, 12, tzinfo=UTC),
    )


async def trade(service: Client, account: str, instrument: str, say: Callable[[str], object]) -> bool:
    """Trade once if the gate says yes; no answer is no yes."""
    try:
        answer = await service.gate(account, instrument, max_age_seconds=3600)
    except (Problem, Unreachable) as error:
        say(f"not trading: {error}")
        return False
    if not answer.may_trade:
        say("not trading: " + "; ".join(one.text for one in answer.because))
        return False
    fill = traded(instrument)
    done = await service.push_fills(account, [fill])
    say(f"traded {fill.quantity} {instrument}; the book is at version {done.version}")
    return True


async def main(account: str, instrument: str) -> int:
    """Trade once, and exit with 0 if it was done."""
    async with Client(os.environ["GAL_FRIDAY_URL"], os.environ["GAL_FRIDAY_TOKEN"]) as service:
        return 0 if await trade(service, account, instrument, print) else 1


if __name__ == "__main__":
    if len(sys.argv) != 3 or not {"GAL_FRIDAY_URL", "GAL_FRIDAY_TOKEN"} <= os.environ.keys():
        sys.exit(__doc__)
    sys.exit(asyncio.run(main(*sys.argv[1:])))
