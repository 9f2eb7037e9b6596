"""Which column of a table is what."""

from msgspec import Struct

from gal_friday.bulk.errors import UnusableTable

_PARTS = ("account", "asset", "wallet")


class Layout(Struct, frozen=True, kw_only=True):
    """The columns of one side's table."""

    asset: str = "asset"
    account: str | None = None
    """None where the whole table is of one account."""
    wallet: str | None = None
    """None where every row is of the spot wallet."""
    quantity: str = "quantity"
    price: str | None = None
    """What one unit is worth, if the table says so."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        named = (self.account, self.asset, self.wallet, self.quantity, self.price)
        return tuple(one for one in named if one is not None)


def layout_of(key: str, quantity: str, price: str | None) -> Layout:
    """Return the layout that ``--key account,asset --quantity qty --price px`` states.

    The parts of the key stand for account, asset and wallet: one is the asset, two are account and asset. A part whose
    column has another name is written ``asset=ccy``.

    Raises:
        UnusableTable: no such key.
    """
    words = [word.strip() for word in key.split(",")]
    if not all(words) or len(words) > len(_PARTS):
        raise UnusableTable(f"{key!r} is no key; write account,asset or account=acct,asset=ccy,wallet=wallet")
    places = _PARTS[1:2] if len(words) == 1 else _PARTS[: len(words)]
    found: dict[str, str] = {}
    for place, word in zip(places, words, strict=True):
        part, equals, column = word.partition("=")
        name = part.strip() if equals else place
        if name not in _PARTS or name in found or not (column.strip() if equals else part):
            raise UnusableTable(f"{word!r} is no part of a key; the parts are account, asset and wallet, each once")
        found[name] = column.strip() if equals else part
    if "asset" not in found:
        raise UnusableTable(f"the key {key!r} names no asset; write account,asset")
    return Layout(asset=found["asset"], **_others(found), quantity=quantity, price=price)


def _others(found: dict[str, str]) -> dict[str, str | None]:
    return {name: found.get(name) for name in ("account", "wallet")}
