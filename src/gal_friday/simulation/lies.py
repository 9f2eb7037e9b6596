"""What else a world may have, beside the storms of its exchange and the troubles of its service.

Each lie draws from a chance of its own whether a world has it and how it goes: a world without it stays, to the last
digit, what it was before the lie was thought of.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from math import log10
from random import Random

from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.auth import take_nonce
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.refusal import Refused
from gal_friday.domain import quantity
from gal_friday.domain.cause import Cause
from gal_friday.ports.clock import Clock
from gal_friday.simulation.bot import Bot
from gal_friday.simulation.planted import Planted

LIES = ("silent_adjustments", "people_differ", "nonce_races", "renames")
_SHARE = 0.4
"""In so many worlds each of them is."""
_ADJUSTED = {"ZUSD": (4, 4e5), "XXBT": (10, 6e6), "XETH": (10, 1e8), "XXRP": (8, 6e9), "DOT": (10, 6e10)}
"""Digits of each asset, and the largest adjustment in units of the last of them: some 40 dollars."""
_AHEAD = (-0.2, 0.0, 0.3, 2.0, 90.0)
"""Seconds by which the clock of the other machine is ahead: so long every nonce of this one is refused."""
_PAUSES = (0.05, 0.4, 3.0)
_PAIR_IDS = ("XETHXXBT", "ETHXBT")
"""Ids under which one pair is listed in turn; rows keep the one of their time, also while no list has it."""
_HOUR = 3_600.0


def drawn(chance: Callable[[str], Random]) -> tuple[str, ...]:
    """Return which lies a world has; *chance* returns the chance of a name."""
    return tuple(lie for lie in LIES if chance(lie).random() < _SHARE)


def unheard(bot: Bot, lie: str, cause: Cause, do: Callable[[], object]) -> Sequence[Planted]:
    """Let something happen to the account of a bot of which the bot hears nothing; return what its book lacks."""
    before = len(bot.planted)
    bot.deaf_to = (lie, cause)
    do()
    bot.hear(lie)
    bot.deaf_to = None
    return bot.planted[before:]


async def adjust_silently(exchange: Exchange, bots: Sequence[Bot], chance: Random, clock: Clock) -> None:
    """Let the exchange correct balances by itself and announce it to nobody, again and again, until cancelled."""
    while True:
        await clock.sleep(chance.expovariate(len(bots) / _HOUR))
        bot, (asset, (digits, most)) = chance.choice(bots), chance.choice([*_ADJUSTED.items()])
        bot.hear("rollover")
        amount = quantity.multiply(quantity.unit(digits), Decimal(round(10 ** chance.uniform(0, log10(most)))))
        match chance.choice(("adjustment", "adjustment", "taken", "airdrop", "dressed")):
            case "dressed" if asset != "ZUSD":
                do = partial(exchange.airdrop, bot.account, asset, amount, dressed_as_transfer=True)
                for one in unheard(bot, "airdrop_as_transfer", Cause.EXCHANGE_ADJUSTMENT, do):
                    # It may come back from futures, where it went before anybody looked: that is left to people.
                    one.causes |= {Cause.UNEXPLAINED}
            case "airdrop":
                _adjusted(bot, partial(exchange.airdrop, bot.account, asset, amount))
            case "taken":
                _adjusted(bot, partial(exchange.adjust, bot.account, asset, quantity.negate(amount)))
            case _:
                _adjusted(bot, partial(exchange.adjust, bot.account, asset, amount))


async def race_nonces(keys: Sequence[ApiKey], chance: Random, clock: Clock) -> None:
    """Let another machine call with the same keys, by a clock of its own, in bursts, until cancelled."""
    while True:
        await clock.sleep(chance.expovariate(len(keys) / _HOUR))
        key, ahead, pause = chance.choice(keys), chance.choice(_AHEAD), chance.choice(_PAUSES)
        for _ in range(chance.choice((1, 20, 200))):
            nonce = (clock.now() + timedelta(seconds=ahead)).timestamp() * 10**9
            with suppress(Refused):
                take_nonce(key, f"{nonce:.0f}")
            await clock.sleep(pause)


async def rename(exchange: Exchange, chance: Random, clock: Clock) -> None:
    """Let the exchange list a pair under another id, again and again, until cancelled."""
    # What nobody has ever seen in a list cannot be known.
    await clock.sleep(_HOUR)
    while True:
        await clock.sleep(chance.expovariate(1 / _HOUR))
        now = exchange.instruments.pair(_PAIR_IDS[0]).id
        exchange.rename_pair(now, next(one for one in _PAIR_IDS if one != now))


def _adjusted(bot: Bot, do: Callable[[], object]) -> None:
    unheard(bot, "silent_adjustment", Cause.EXCHANGE_ADJUSTMENT, do)
