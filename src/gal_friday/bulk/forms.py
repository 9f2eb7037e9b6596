"""What tables of records hold: fills, movements and positions, beside the balances that they explain.

The columns are called as in the snapshot file. What makes two rows of two sides the same is stated here, in expressions
that every engine understands: an account whose rows are the same on both sides needs no look, and every other one is
judged by the comparison, with all its rows.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Literal

from msgspec import Struct

from gal_friday.domain.assets import Wallet
from gal_friday.domain.records import FILL_LEG_KINDS, MOVEMENT_KINDS, Kind


class Holds(Enum):
    """What the cells of a column are."""

    TEXT = "text"
    ASSET = "asset"
    """Text under the book's own names, too."""
    AMOUNT = "amount"
    INSTANT = "instant"
    FLAG = "flag"


Name = Literal["fills", "movements", "positions"]


class Form(Struct, frozen=True, kw_only=True, eq=False):
    """A kind of record, as the rows of a table."""

    kind: Kind
    columns: Mapping[str, Holds]
    needed: Collection[str]
    """Without them a row says nothing, and a table is refused."""
    id: tuple[str, ...]
    """What names a row: there is one of it on a side."""
    same: tuple[str, ...]
    """Expressions that are alike on both sides where nothing differs."""
    both: Mapping[str, tuple[str, ...]] = {}
    """What has to be alike as well where both tables have this column: a side without it says nothing of it."""
    known: str = "TRUE"
    """The condition under which nobody asks what a row means."""
    many: bool = True
    """Whether an account may have any number of them; positions are few, and judged by all of an instrument."""
    own: str = "FALSE"
    """The condition under which the book alone has such a row, and nobody misses it at the exchange."""


UNSAID = {"wallet": Wallet.SPOT.value, "margin": "false"}
"""What a cell of such a column means that says nothing."""


def _among(column: str, words: Collection[str]) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in sorted(words))})"


LEG = f"({_among('kind', FILL_LEG_KINDS)} AND refers_to IS NOT NULL)"
"""The condition under which a movement is what a fill moved."""

MOVEMENTS = Form(
    kind=Kind.MOVEMENTS,
    columns={
        "movement_id": Holds.TEXT,
        "refers_to": Holds.TEXT,
        "kind": Holds.TEXT,
        "asset": Holds.ASSET,
        "wallet": Holds.TEXT,
        "amount": Holds.AMOUNT,
        "fee": Holds.AMOUNT,
        "balance_after": Holds.AMOUNT,
        "at": Holds.INSTANT,
    },
    needed=("movement_id", "kind", "asset", "amount", "at"),
    id=("movement_id",),
    same=("movement_id", "asset", "wallet", "amount", "coalesce(fee, 0)"),
    known=f"{_among('kind', MOVEMENT_KINDS)} AND asset NOT LIKE '?%'",
    own=_among("kind", ("opening", "plug")),
)
BY_EVENT = f"CASE WHEN {LEG} THEN refers_to ELSE movement_id END", f"CASE WHEN {LEG} THEN 1 ELSE 0 END"
"""What stands for the id of a movement where the book has none of the exchange's ids: the fill that it is a leg of."""

_QUOTE = "split_part(split_part(instrument, ':', 1), '/', 2)"
"""What a fee is paid in where a fill does not say: the quote asset."""
FILLS = Form(
    kind=Kind.FILLS,
    columns={
        "fill_id": Holds.TEXT,
        "order_id": Holds.TEXT,
        "instrument": Holds.TEXT,
        "side": Holds.TEXT,
        "quantity": Holds.AMOUNT,
        "price": Holds.AMOUNT,
        "cost": Holds.AMOUNT,
        "fee": Holds.AMOUNT,
        "fee_asset": Holds.ASSET,
        "margin": Holds.FLAG,
        "position_id": Holds.TEXT,
        "at": Holds.INSTANT,
    },
    needed=("fill_id", "instrument", "side", "quantity", "price", "at"),
    id=("fill_id",),
    same=("fill_id", "instrument", "side", "quantity", "price", "margin"),
    both={"order_id": ("order_id",), "fee": ("fee", f"coalesce(fee_asset, {_QUOTE})")},
    known="instrument NOT LIKE '?%' AND coalesce(fee_asset, '') NOT LIKE '?%'",
)

POSITIONS = Form(
    kind=Kind.POSITIONS,
    many=False,
    columns={
        "instrument": Holds.TEXT,
        "mode": Holds.TEXT,
        "position_id": Holds.TEXT,
        "quantity": Holds.AMOUNT,
        "average_price": Holds.AMOUNT,
    },
    needed=("instrument", "mode", "quantity"),
    id=("instrument", "mode", "position_id"),
    same=("instrument", "mode", "position_id", "quantity"),
    both={"average_price": ("average_price",)},
    known="instrument NOT LIKE '?%'",
)

FORMS: Mapping[Name, Form] = {"fills": FILLS, "movements": MOVEMENTS, "positions": POSITIONS}
WIDTH = max(len(form.columns) for form in FORMS.values())
"""Cells of the widest row."""
