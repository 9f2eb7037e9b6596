"""Making ready: is the exchange up, how late is its clock, what are the names, what may the key do?

Source: Kraken REST documentation, Get System Status, Get Server Time, Get Asset Info, Get Tradable Asset
Pairs, Get API Key Info.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.client import Client, WrongArguments
from gal_friday.adapters.kraken.endpoints import ASSET_PAIRS, ASSETS, GET_API_KEY_INFO, SYSTEM_STATUS, TIME
from gal_friday.adapters.kraken.key import KeyInfo, key_info
from gal_friday.adapters.kraken.listing import KnownAsset, KnownNames, KnownPair, assets_listed, pairs_listed
from gal_friday.domain.schedule import Obstacle
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeMalformed, ExchangeUnavailable

_TOKENIZED = "tokenized_asset"


class Status(Struct, frozen=True):
    """The state of the exchange in its own words."""

    word: str

    @property
    def readable(self) -> bool:
        """Say whether reads are answered; modes that restrict orders do not matter."""
        return self.word != "maintenance"


async def system_status(client: Client) -> Status:
    """Return the exchange's word for its state: online, maintenance, cancel_only, post_only."""
    reply = await client.call(SYSTEM_STATUS)
    if not isinstance(reply.result, dict):
        wire.refuse((SYSTEM_STATUS.name, ""), "", "an object was expected")
    return Status(wire.word(reply.result, "status", (SYSTEM_STATUS.name, "")))


async def refuse_maintenance(client: Client) -> None:
    """Pass when the exchange answers reads.

    Raises:
        ExchangeUnavailable: it is in maintenance.
    """
    status = await system_status(client)
    if not status.readable:
        raise ExchangeUnavailable(
            "Kraken is in maintenance; nothing was read. Asking again later is safe.", obstacle=Obstacle.MAINTENANCE
        )


async def clock_offset(client: Client, clock: Clock) -> timedelta:
    """Return by how much the exchange's clock is ahead of ours, to the second."""
    before = clock.now()
    reply = await client.call(TIME)
    after = clock.now()
    where = (TIME.name, "")
    if not isinstance(reply.result, dict):
        wire.refuse(where, "", "an object was expected")
    theirs = wire.instant(wire.number_text(reply.result, "unixtime", where), "unixtime", where)
    return _outside(theirs, before.astimezone(UTC), after.astimezone(UTC))


async def listed_names(client: Client) -> KnownNames:
    """Return all assets and pairs that are listed now, tokenized ones included.

    Raises:
        ExchangeMalformed: the lists cannot be read or are empty.
    """
    assets = assets_listed((await client.call(ASSETS)).result)
    pairs = pairs_listed((await client.call(ASSET_PAIRS)).result)
    if not assets or not pairs:
        raise ExchangeMalformed("Kraken lists no assets or no pairs, which cannot be; run again later")
    _check_together(pairs, assets, assets)
    try:
        more_assets = assets_listed((await client.call(ASSETS, {"aclass": _TOKENIZED})).result)
        more_pairs = pairs_listed((await client.call(ASSET_PAIRS, {"aclass_base": _TOKENIZED})).result)
    except WrongArguments:
        # Not every country is shown tokenized assets.
        return KnownNames(assets, pairs)
    if more_pairs:
        tokenized = {name: asset for name, asset in more_assets.items() if asset.aclass == _TOKENIZED}
        _check_together(more_pairs, tokenized, {**assets, **tokenized})
    return KnownNames({**more_assets, **assets}, {**more_pairs, **pairs})


def _check_together(
    pairs: Mapping[str, KnownPair], bases: Mapping[str, KnownAsset], quotes: Mapping[str, KnownAsset]
) -> None:
    """Refuse lists of which one is the answer to another question: every name would be unknown by them."""
    if not any(pair.base in bases and pair.quote in quotes for pair in pairs.values()):
        raise ExchangeMalformed("Kraken's lists of assets and pairs do not belong together; run again later")


async def ask_about_key(client: Client, api_key: str) -> KeyInfo | None:
    """Return what the exchange says about this key; None where it does not answer such questions."""
    try:
        reply = await client.call(GET_API_KEY_INFO)
    except WrongArguments:
        return None
    return key_info(reply.result, api_key)


def _outside(theirs: datetime, before: datetime, after: datetime) -> timedelta:
    # Their clock shows whole seconds, and the answer was under way between before and after.
    if theirs > after:
        return theirs - after
    latest = theirs + timedelta(seconds=1)
    return latest - before if latest < before else timedelta(0)
