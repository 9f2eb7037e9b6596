"""Ledger rows as movements, and the table of what each type means.

A type or subtype that nobody has given a meaning survives as its own text (I15). The name of the row's
asset id stays with the movement as ``raw[0]``: the running balance counts per id, and one wallet can have
several (XXBT and XBT.F are both spot).

Source: Kraken support, "Explanation of ledger fields"; Kraken REST documentation, Get Ledgers Info.
"""

import sys

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.wire import Row
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


class MovementReader:
    """Reads the rows of one read; what many rows share is kept once."""

    def __init__(self, names: Names, endpoint: str) -> None:
        """Resolve with *names*; *endpoint* stands in messages."""
        self._names = names
        self._endpoint = endpoint
        self._shared: dict[tuple[str, str, str], tuple[str, Extra]] = {}

    def read(self, row: Row, name: str) -> Movement:
        """Return the movement in this row.

        Raises:
            ExchangeMalformed: an amount, the asset or the time cannot be read.
        """
        where = (self._endpoint, name)
        raw = sys.intern(wire.word(row, "asset", where))
        time = wire.number_text(row, "time", where)
        kind, extra = self._kind(row, where)
        asset, wallet = self._names.holding(raw)
        return Movement(
            movement_id=name,
            kind=kind,
            asset=asset,
            wallet=wallet,
            amount=wire.amount(row, "amount", where),
            at=wire.instant(time, "time", where),
            fee=wire.amount_or_zero(row, "fee", where),
            refers_to=wire.word_or_empty(row, "refid", where) or None,
            balance_after=wire.amount_or_none(row, "balance", where),
            raw=(raw, time),
            extra=extra if len(row) <= len(_FIELDS) and row.keys() <= _FIELDS else {**extra, **_unknown(row)},
        )

    def _kind(self, row: Row, where: wire.Where) -> tuple[str, Extra]:
        words = (
            wire.word_or_empty(row, "type", where),
            wire.word_or_empty(row, "subtype", where),
            wire.word_or_empty(row, "aclass", where),
        )
        shared = self._shared.get(words)
        if shared is None:
            given = zip(("type", "subtype", "aclass"), words, strict=True)
            extra = {field: value for field, value in given if value}
            shared = sys.intern(kind_of(words[0], words[1])), extra
            self._shared[words] = shared
        return shared


def _unknown(row: Row) -> Extra:
    return {field: value for field, value in row.items() if field not in _FIELDS}
