"""Ledger rows as movements, and the table of what each type means.

A type or subtype that nobody has given a meaning survives as its own text (I15). The name of the row's
asset id stays with the movement as ``raw[0]``: the running balance counts per id, and one wallet can have
several (XXBT and XBT.F are both spot).

Source: Kraken support, "Explanation of ledger fields"; Kraken REST documentation, Get Ledgers Info.
"""

from typing import Any

from msgspec import Struct

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.wire import Row, Where
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.records import Extra, Movement

# By type alone: the subtype adds nothing that changes the meaning.
KINDS = {
    "trade": "trade",
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "custodytransfer": "transfer",
    "staking": "reward",
    "dividend": "reward",
    "reward": "reward",
    "invite bonus": "reward",
    "spend": "conversion",
    "receive": "conversion",
    "conversion": "conversion",
    "margin": "margin",
    "margin trade": "margin",
    "rollover": "rollover",
    "settled": "settlement",
    "adjustment": "exchange_adjustment",
    "airdrop": "exchange_adjustment",
    "sale": "delisting",
    "credit": "credit",
    "nft_rebate": "nft",
    "nftrebate": "nft",
    "nfttrade": "nft",
    "nftcreatorfee": "nft",
}

# By type and subtype: the type alone says too little.
KINDS_BY_SUBTYPE = {
    ("transfer", ""): "transfer",
    ("transfer", "spottofutures"): "transfer",
    ("transfer", "spotfromfutures"): "transfer",
    ("transfer", "subaccount"): "transfer",
    ("transfer", "spottostaking"): "earn_transfer",
    ("transfer", "stakingfromspot"): "earn_transfer",
    ("transfer", "stakingtospot"): "earn_transfer",
    ("transfer", "spotfromstaking"): "earn_transfer",
    ("transfer", "delistingconversion"): "delisting",
    ("earn", "allocation"): "earn_transfer",
    ("earn", "deallocation"): "earn_transfer",
    ("earn", "autoallocation"): "earn_transfer",
    ("earn", "autoallocate"): "earn_transfer",
    ("earn", "migration"): "earn_transfer",
    ("earn", "reward"): "reward",
    ("earn", "bonusreward"): "reward",
    ("earn", "delistingconversion"): "delisting",
}

_FIELDS = frozenset({"refid", "time", "type", "subtype", "aclass", "asset", "amount", "fee", "balance"})


def kind_of(type_: str, subtype: str) -> str:
    """Return the kind of movement; an unknown type or subtype comes back as its own text."""
    by_subtype = KINDS_BY_SUBTYPE.get((type_, subtype))
    if by_subtype is not None:
        return by_subtype
    return KINDS.get(type_) or (f"{type_}:{subtype}" if subtype else type_) or "none"


class _Head(Struct, frozen=True):
    """What many rows share: asset, wallet, kind and the exchange's own words for them."""

    raw: str
    asset: Asset
    wallet: Wallet
    kind: str
    extra: Extra


class MovementReader:
    """Reads the rows of one read; what many rows share is kept once."""

    def __init__(self, names: Names, endpoint: str) -> None:
        """Resolve with *names*; *endpoint* stands in messages."""
        self._names = names
        self._endpoint = endpoint
        self._heads: dict[tuple[Any, ...], _Head] = {}

    def read(self, row: Row, name: str, place: str | None = None) -> Movement:
        """Return the movement in this row; *place* stands in messages instead of the endpoint.

        Raises:
            ExchangeMalformed: an amount, the asset or the time cannot be read.
        """
        where = (place or self._endpoint, name)
        head = self._head(row, where)
        time = wire.number_text(row, "time", where)
        try:
            return Movement(
                movement_id=name,
                kind=head.kind,
                asset=head.asset,
                wallet=head.wallet,
                amount=wire.amount(row, "amount", where),
                at=wire.instant(time, "time", where),
                fee=wire.amount_or_zero(row, "fee", where),
                refers_to=wire.word_or_empty(row, "refid", where) or None,
                balance_after=wire.amount_or_none(row, "balance", where),
                raw=(head.raw, time),
                extra=head.extra if row.keys() <= _FIELDS else {**head.extra, **_unknown(row)},
            )
        except GalFridayError as error:
            wire.refuse_record(where, error)

    def _head(self, row: Row, where: Where) -> _Head:
        words = (row.get("asset"), row.get("type"), row.get("subtype"), row.get("aclass"))
        try:
            known = self._heads.get(words)
        except TypeError:
            # A list or a map where a word belongs: refused below, by its field.
            known = None
        return known or self._new_head(row, where, words)

    def _new_head(self, row: Row, where: Where, words: tuple[Any, ...]) -> _Head:
        raw = wire.word(row, "asset", where)
        given = {field: wire.word_or_empty(row, field, where) for field in ("type", "subtype", "aclass")}
        asset, wallet = self._names.holding(raw)
        extra = {field: value for field, value in given.items() if value}
        head = _Head(raw, asset, wallet, kind_of(given["type"], given["subtype"]), extra)
        self._heads[words] = head
        return head


def _unknown(row: Row) -> Extra:
    return {field: value for field, value in row.items() if field not in _FIELDS}
