"""From Kraken's spellings to canonical names, by table and never by guess.

Names are matched exactly, case included. What no table knows, or what a table knows twice, comes back as
itself behind a question mark (``?XFOO``), and no adjustment will touch it (I15). No prefix is cut and no
pair is split: one name in four would come out wrong.

Source: Kraken support, "Asset codes" and "Explanation of ledger fields"; Kraken REST documentation, Get
Asset Info and Get Tradable Asset Pairs.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from gal_friday.adapters.kraken import legacy
from gal_friday.adapters.kraken.listing import (
    INTERNATIONAL,
    KnownNames,
    KnownPair,
    altname_of,
    legacy_names,
)
from gal_friday.domain.assets import (
    Asset,
    Instrument,
    Wallet,
    instrument,
    is_unresolved,
    unresolved_asset,
    unresolved_instrument,
)
from gal_friday.domain.snapshot import Scales

Holding = tuple[Asset, Wallet]
Table = dict[str, Asset | None]

SUFFIX_WALLETS = {
    "F": Wallet.SPOT,  # auto-earn: the spendable balance itself moves to this row
    "M": Wallet.EARN,
    "B": Wallet.BONDED,
    "S": Wallet.BONDED,
    "P": Wallet.BONDED,
    "HOLD": Wallet.HELD,
}
# A tokenized form is an asset of its own, not a wallet of the plain one.
_TOKENIZED = "T"

_CACHE_MAX = 20_000
_PLAIN_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)


class Names:
    """Resolves every spelling of one exchange's assets and pairs."""

    def __init__(self, listed: KnownNames, earlier: KnownNames | None = None, *, offline: bool = False) -> None:
        """Build the tables. What is *listed* now comes before what was listed *earlier*.

        *offline* says that the list is not complete: a code that is in no table is then its own name,
        except where it looks like an old currency id.
        """
        self.known = listed if earlier is None else earlier.with_newer(listed)
        self._listed = listed
        self._offline = offline
        self._by_id, self._by_altname, self._by_code = self._asset_tables()
        self._instruments = self._pair_table()
        self._by_other_name = self._pair_names()
        self._holdings: dict[str, Holding] = {}

    @classmethod
    def without_network(cls, known: KnownNames | None = None) -> "Names":
        """Return names from the hand-written table and what was *known* before."""
        return cls(known or KnownNames(), legacy_names(), offline=True)

    def holding(self, raw: str) -> Holding:
        """Return asset and wallet of an id in a balance or a ledger row, suffix included."""
        found = self._holdings.get(raw)
        if found is None:
            found = self._holding(raw)
            if len(self._holdings) < _CACHE_MAX:
                self._holdings[raw] = found
        return found

    def asset(self, raw: str) -> Asset:
        """Return the asset of a plain name: id, altname or canonical code, in this order."""
        return self._exact(raw) or unresolved_asset(raw)

    def instrument(self, raw: str) -> Instrument:
        """Return the instrument of a name: id, wsname, canonical name or altname, in this order."""
        by_id = self._instruments.get(raw)
        if by_id is not None:
            return by_id
        found = self._by_other_name.get(raw)
        if found is not None:
            return found
        return self._slashed(raw) or unresolved_instrument(raw)

    def listed_pair(self, base: Asset, quote: Asset) -> str | None:
        """Return the id of the pair that trades these two now on the exchange's own books, or None."""
        return self._tradable().get((base, quote))

    def scales(self) -> Scales:
        """Return how many digits the exchange keeps, by asset and by instrument."""
        assets = {
            name: known.decimals
            for raw, known in self.known.assets.items()
            if known.decimals is not None and not is_unresolved(name := self.holding(raw)[0])
        }
        costs = {
            pair_name: pair.cost_decimals
            for raw, pair in self.known.pairs.items()
            if pair.cost_decimals is not None and not is_unresolved(pair_name := self._instruments[raw])
        }
        return Scales(assets=assets, costs=costs, oldest_first=True)

    def _holding(self, raw: str) -> Holding:
        locked = legacy.LOCKED_FORMS.get(raw)
        if locked is not None and (asset := self._exact(locked)) is not None:
            return asset, Wallet.BONDED
        head, dot, suffix = raw.rpartition(".")
        # Before the plain lookup: Kraken's own list has some suffixed ids as assets (XBT.M).
        if dot and (asset := self._before_suffix(head)) is not None:
            if suffix in SUFFIX_WALLETS:
                return asset, SUFFIX_WALLETS[suffix]
            if suffix == _TOKENIZED:
                return Asset(f"{asset}.{_TOKENIZED}"), Wallet.SPOT
        return self.asset(raw), Wallet.SPOT

    def _before_suffix(self, head: str) -> Asset | None:
        exact = self._exact(head, guess=False)
        if exact is None and len(head) > 2 and head[-2:].isascii() and head[-2:].isdigit():
            # A bonding time: DOT28.S.
            return self._exact(head[:-2])
        return exact or self._exact(head)

    def _exact(self, raw: str, *, guess: bool = True) -> Asset | None:
        if raw in self._by_id:
            return self._by_id[raw]
        for table in (self._by_altname, self._by_code):
            if raw in table:
                return table[raw]
        return self._own_name(raw) if self._offline and guess else None

    def _own_name(self, raw: str) -> Asset | None:
        looks_old = raw.startswith("Z") and raw[1:] in legacy.CURRENCIES
        return Asset(raw) if _PLAIN_CODE.fullmatch(raw) and not looks_old else None

    def _asset_tables(self) -> tuple[Table, Table, Table]:
        """Return assets by id, by altname and by code; None where a name means several things."""
        now = {raw: _code(known.altname) for raw, known in self._listed.assets.items() if not _suffixed(raw)}
        gone = {
            raw: _code(known.altname)
            for raw, known in self.known.assets.items()
            if raw not in self._listed.assets and not _suffixed(raw)
        }
        by_id = _unique_only(now, taken=())
        by_id.update(_unique_only(gone, taken=now.values()))
        by_altname: Table = {}
        by_code: Table = {}
        for raw, asset in by_id.items():
            altname = self.known.assets[raw].altname
            if asset is not None or altname not in by_altname:
                by_altname[altname] = asset
                by_code[_code(altname)] = asset
        return by_id, by_altname, by_code

    def _pair_table(self) -> dict[str, Instrument]:
        groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for raw, pair in self.known.pairs.items():
            groups[pair.base, pair.quote, pair.venue].append(raw)
        return {
            raw: self._canonical(raw, self.known.pairs[raw], alone=len(group) == 1)
            for group in groups.values()
            for raw in group
        }

    def _canonical(self, raw: str, pair: KnownPair, *, alone: bool) -> Instrument:
        base, quote = self._exact(pair.base), self._exact(pair.quote)
        if base is None or quote is None:
            return unresolved_instrument(raw)
        if not alone and pair.altname != altname_of(pair, self.known.assets):
            # Two books of the same two assets: only the one with the customary name is the plain pair.
            return unresolved_instrument(raw)
        return instrument(base, quote, "" if pair.venue == INTERNATIONAL else pair.venue)

    def _pair_names(self) -> dict[str, Instrument]:
        """Return instruments by wsname, canonical name and altname, in rising order of precedence."""
        altnames: defaultdict[str, set[Instrument]] = defaultdict(set)
        wsnames: defaultdict[str, set[Instrument]] = defaultdict(set)
        for raw, pair in self.known.pairs.items():
            altnames[pair.altname].add(self._instruments[raw])
            if pair.wsname:
                wsnames[pair.wsname].add(self._instruments[raw])
        resolved = {name for name in self._instruments.values() if not is_unresolved(name)}
        return {**_only(altnames), **{name: name for name in resolved}, **_only(wsnames)}

    def _slashed(self, raw: str) -> Instrument | None:
        # The slash is the exchange's own mark between base and quote; each side must be known by itself.
        base_name, slash, quote_name = raw.partition("/")
        if not slash or not self._offline or raw in self._ambiguous():
            return None
        base, quote = self._exact(base_name), self._exact(quote_name)
        return instrument(base, quote) if base is not None and quote is not None else None

    def _ambiguous(self) -> set[str]:
        return {pair.wsname for pair in self.known.pairs.values()} - set(self._by_other_name)

    def _tradable(self) -> dict[tuple[Asset, Asset], str]:
        found: dict[tuple[Asset, Asset], str] = {}
        for raw, pair in self._listed.pairs.items():
            base, quote = self._exact(pair.base), self._exact(pair.quote)
            customary = pair.altname == altname_of(pair, self.known.assets)
            if base is not None and quote is not None and pair.venue == INTERNATIONAL and customary:
                found.setdefault((base, quote), raw)
        return found


def _code(altname: str) -> Asset:
    return Asset(legacy.MODERN.get(altname, altname))


def _suffixed(raw: str) -> bool:
    suffix = raw.rpartition(".")[2] if "." in raw else ""
    return suffix in SUFFIX_WALLETS or suffix == _TOKENIZED or raw in legacy.LOCKED_FORMS


def _unique_only(codes: dict[str, Asset], *, taken: Iterable[Asset]) -> dict[str, Asset | None]:
    """Two ids with one code are two assets under one name: neither may be taken for the other."""
    uses = Counter(codes.values())
    occupied = set(taken)
    return {raw: code if uses[code] == 1 and code not in occupied else None for raw, code in codes.items()}


def _only(found: dict[str, set[Instrument]]) -> dict[str, Instrument]:
    return {name: next(iter(group)) for name, group in found.items() if len(group) == 1}
