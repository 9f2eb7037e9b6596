"""Names: by table, never by guess, and what nobody knows survives as itself (I15)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.kraken import KnownAsset, KnownNames, KnownPair, Names
from gal_friday.adapters.kraken.legacy import ALTNAMES, CURRENCIES, PAIRS
from gal_friday.adapters.kraken.listing import assets_listed, pairs_listed
from gal_friday.domain.assets import Asset, Instrument, Wallet, is_unresolved

LISTED = KnownNames(
    assets={
        **{raw: KnownAsset(altname, 10) for raw, altname in ALTNAMES.items()},
        **{raw: KnownAsset(raw, 8) for raw in ("ADA", "XTZ", "ZRX", "DOT", "ATOM", "USDT", "FLOW", "AAPLx", "SOL")},
        # Kraken lists some suffixed ids as assets.
        "XBT.M": KnownAsset("XBT.M"),
        "ETH2": KnownAsset("ETH2"),
        "ETH2.S": KnownAsset("ETH2.S"),
        "DOT.S": KnownAsset("DOT.S"),
    },
    pairs={
        **{raw: KnownPair(ALTNAMES.get(base, base) + ALTNAMES.get(quote, quote), base, quote,
           f"{ALTNAMES.get(base, base)}/{ALTNAMES.get(quote, quote)}", cost_decimals=5)
           for raw, (base, quote) in PAIRS.items() if base != "EUROP" and quote not in ("EUROP", "USDQ", "USDR")},
        "XTZUSD": KnownPair("XTZUSD", "XTZ", "ZUSD", "XTZ/USD"),
        "ADAUSDT": KnownPair("ADAUSDT", "ADA", "USDT", "ADA/USDT"),
    },
)  # fmt: skip
NAMES = Names(LISTED)


@pytest.mark.parametrize(
    "raw, asset, wallet",
    [
        ("XXBT", "BTC", Wallet.SPOT),
        ("XBT", "BTC", Wallet.SPOT),
        ("BTC", "BTC", Wallet.SPOT),
        ("XBT.F", "BTC", Wallet.SPOT),
        ("XBT.M", "BTC", Wallet.EARN),
        ("XBT.B", "BTC", Wallet.BONDED),
        ("XXDG", "DOGE", Wallet.SPOT),
        ("XXRP", "XRP", Wallet.SPOT),
        ("ZUSD", "USD", Wallet.SPOT),
        ("USD.M", "USD", Wallet.EARN),
        ("EUR.HOLD", "EUR", Wallet.HELD),
        ("ZEUR.HOLD", "EUR", Wallet.HELD),
        ("DOT", "DOT", Wallet.SPOT),
        ("DOT.S", "DOT", Wallet.BONDED),
        ("DOT28.S", "DOT", Wallet.BONDED),
        ("DOT.P", "DOT", Wallet.BONDED),
        ("ATOM21.S", "ATOM", Wallet.BONDED),
        ("SOL03.S", "SOL", Wallet.BONDED),
        ("ETH2", "ETH", Wallet.BONDED),
        ("ETH2.S", "ETH", Wallet.BONDED),
        ("FLOWH", "FLOW", Wallet.BONDED),
        ("AAPLx", "AAPLx", Wallet.SPOT),
        ("AAPLx.T", "AAPLx.T", Wallet.SPOT),
        ("KFEE", "KFEE", Wallet.SPOT),
        # Look like an old spelling and are none.
        ("XTZ", "XTZ", Wallet.SPOT),
        ("ZRX", "ZRX", Wallet.SPOT),
    ],
)
def test_an_id_is_an_asset_in_a_wallet(raw: str, asset: str, wallet: Wallet) -> None:
    assert NAMES.holding(raw) == (asset, wallet)


@pytest.mark.parametrize(
    "raw",
    [
        "XFOO",
        "FOO",
        "AAPLX",
        "xxbt",
        "Xbt",
        "DOT.X",
        "DOT.",
        ".S",
        "DOT1.S",
        "DOT283.S",
        "FOO.S",
        "FOO28.S",
        "",
    ],
)
def test_an_id_that_no_table_knows_survives_as_itself(raw: str) -> None:
    assert NAMES.holding(raw) == (f"?{raw}", Wallet.SPOT)


@pytest.mark.parametrize(
    "raw, name",
    [
        ("XXBTZUSD", "BTC/USD"),
        ("XBTUSD", "BTC/USD"),
        ("XBT/USD", "BTC/USD"),
        ("BTC/USD", "BTC/USD"),
        ("XDGUSD", "DOGE/USD"),
        ("XDG/USD", "DOGE/USD"),
        ("DOGE/USD", "DOGE/USD"),
        ("XXRPZUSD", "XRP/USD"),
        ("XTZUSD", "XTZ/USD"),
        ("ADAUSDT", "ADA/USDT"),
        ("USDTZUSD", "USDT/USD"),
        ("USDTUSD", "USDT/USD"),
    ],
)
def test_a_pair_is_found_under_each_of_its_spellings(raw: str, name: str) -> None:
    assert NAMES.instrument(raw) == name


@pytest.mark.parametrize("raw", ["ADAUSD", "XXBTUSD", "BTCUSD", "XBT-USD", "btc/usd", "FOO/BAR", ""])
def test_a_pair_that_no_table_knows_is_not_split(raw: str) -> None:
    assert NAMES.instrument(raw) == f"?{raw}"


def with_pairs(**pairs: KnownPair) -> Names:
    return Names(KnownNames(LISTED.assets, {**LISTED.pairs, **pairs}))


def test_one_pair_on_two_venues_is_two_instruments() -> None:
    names = with_pairs(**{"XBTUSD:BTNL": KnownPair("XBTUSD", "XXBT", "ZUSD", "", "bitnomial_exchange")})
    assert names.instrument("XXBTZUSD") == "BTC/USD"
    assert names.instrument("XBTUSD:BTNL") == "BTC/USD:bitnomial_exchange"
    # The altname belongs to both: no guess. The names with a slash belong to one.
    assert names.instrument("XBTUSD") == "?XBTUSD"
    assert names.instrument("XBT/USD") == "BTC/USD"
    assert names.listed_pair(Asset("BTC"), Asset("USD")) == "XXBTZUSD"


def test_a_second_book_of_two_assets_without_a_venue_is_not_taken_for_the_first() -> None:
    names = with_pairs(ODD=KnownPair("ODD", "XXBT", "ZUSD"))
    assert names.instrument("ODD") == "?ODD"
    assert names.instrument("XXBTZUSD") == "BTC/USD"


def test_two_keys_of_one_pair_are_one_instrument() -> None:
    names = with_pairs(
        AAPLSPVUSD=KnownPair("AAPLxUSD", "AAPLx", "ZUSD"), AAPLxUSD=KnownPair("AAPLxUSD", "AAPLx", "ZUSD")
    )
    assert names.instrument("AAPLSPVUSD") == names.instrument("AAPLxUSD") == "AAPLx/USD"


def test_two_assets_that_share_a_name_are_both_unresolved() -> None:
    names = Names(KnownNames({"FOO1": KnownAsset("FOO"), "FOO2": KnownAsset("FOO")}))
    assert [names.asset(raw) for raw in ("FOO1", "FOO2", "FOO")] == ["?FOO1", "?FOO2", "?FOO"]


def test_a_delisted_name_keeps_its_meaning() -> None:
    earlier = KnownNames(
        {"WAVES": KnownAsset("WAVES"), "ZUSD": KnownAsset("USD")},
        {"WAVESUSD": KnownPair("WAVESUSD", "WAVES", "ZUSD", "WAVES/USD")},
    )
    names = Names(LISTED, earlier)
    assert names.asset("WAVES") == "WAVES"
    assert names.instrument("WAVESUSD") == "WAVES/USD"
    assert names.listed_pair(Asset("WAVES"), Asset("USD")) is None
    assert names.known.assets.keys() >= {"WAVES", "XXBT"}


def test_an_old_id_whose_name_another_took_over_is_unresolved() -> None:
    names = Names(KnownNames({"LUNA2": KnownAsset("LUNA")}), KnownNames({"LUNA": KnownAsset("LUNA")}))
    assert names.asset("LUNA") == "?LUNA"
    assert names.asset("LUNA2") == "LUNA"


def test_scales_tell_digits_by_our_names() -> None:
    scales = NAMES.scales()
    assert scales.assets[Asset("BTC")] == 10
    assert scales.costs[Instrument("BTC/USD")] == 5
    assert not any(is_unresolved(name) for name in (*scales.assets, *scales.costs))


# --- without a network --------------------------------------------------------------------------

OFFLINE = Names.without_network()


@pytest.mark.parametrize(
    "raw, asset",
    [
        ("XXBT", "BTC"),
        ("ZUSD", "USD"),
        ("XTZ", "XTZ"),
        ("ZETA", "ZETA"),
        ("ZEUS", "ZEUS"),
        ("CHF", "CHF"),
        ("AAPLx", "AAPLx"),
        ("DOT28.S", "DOT"),
    ],
)
def test_offline_an_unknown_code_is_its_own_name(raw: str, asset: str) -> None:
    assert OFFLINE.holding(raw)[0] == asset


@pytest.mark.parametrize("raw", ["ZNGN", "ZCHF", "ZTRY", "", "two words", "a/b"])
def test_offline_what_looks_like_an_old_currency_id_stays_unresolved(raw: str) -> None:
    assert is_unresolved(OFFLINE.asset(raw))


@pytest.mark.parametrize(
    "raw, name",
    [
        ("XXBTZUSD", "BTC/USD"),
        ("XDGUSD", "DOGE/USD"),
        ("XBT/USD", "BTC/USD"),
        ("ADA/USD", "ADA/USD"),
        ("ADAUSD", "?ADAUSD"),
    ],
)
def test_offline_a_pair_is_known_by_table_or_by_its_slash(raw: str, name: str) -> None:
    assert OFFLINE.instrument(raw) == name


def test_every_old_pair_is_made_of_known_assets() -> None:
    for raw, (base, quote) in PAIRS.items():
        assert OFFLINE.instrument(raw) == f"{OFFLINE.asset(base)}/{OFFLINE.asset(quote)}"


def test_the_currencies_include_every_old_currency_id() -> None:
    assert {raw[1:] for raw in ALTNAMES if raw.startswith("Z") and raw != "ZEC"} <= CURRENCIES | {"EC"}


@given(st.text(max_size=12))
def test_no_name_breaks_the_resolver_and_a_resolved_one_is_in_a_table(raw: str) -> None:
    asset, wallet = NAMES.holding(raw)
    assert wallet in Wallet
    known = {NAMES.asset(altname.altname) for altname in LISTED.assets.values()}
    assert is_unresolved(asset) or asset in known or asset.removesuffix(".T") in known
    assert NAMES.instrument(raw)


# --- all of Kraken's names ----------------------------------------------------------------------

FOLDER = os.environ.get("GAL_FRIDAY_KRAKEN_FIXTURES", "")


def collected(path: str) -> Any:
    file = Path(FOLDER) / path if FOLDER else None
    if file is None or not file.is_file():
        pytest.skip(f"collected answers are not there: GAL_FRIDAY_KRAKEN_FIXTURES is {FOLDER!r}, looked for {path}")
    return json.loads(file.read_bytes())


def test_every_pair_that_kraken_ever_listed_resolves_to_its_two_assets() -> None:
    answer = collected("imranpollob__coins/AssetPairs__full_2026-01-12.json")["result"]
    derived = collected("derived/asset_ids_2021-12_and_2026-01.json")
    pairs = pairs_listed(answer)
    assets = assets_listed({raw: {"altname": row["altname"]} for raw, row in derived.items()})
    names = Names(KnownNames(assets, pairs))
    assert len(pairs) == 1434
    seen = set()
    for raw, pair in pairs.items():
        base, quote = names.asset(pair.base), names.asset(pair.quote)
        assert not is_unresolved(base), pair
        assert not is_unresolved(quote), pair
        assert names.instrument(raw) == f"{base}/{quote}"
        assert names.instrument(pair.altname) == names.instrument(pair.wsname) == f"{base}/{quote}"
        seen.add(names.instrument(raw))
    assert len(seen) == 1434


def test_offline_every_asset_id_that_kraken_ever_listed_resolves_alike() -> None:
    derived = collected("derived/asset_ids_2021-12_and_2026-01.json")
    online = Names(KnownNames(assets_listed({raw: {"altname": row["altname"]} for raw, row in derived.items()})))
    differing = {raw for raw in derived if online.holding(raw) != OFFLINE.holding(raw)}
    assert differing == set()
    assert not {raw for raw in derived if is_unresolved(online.holding(raw)[0])}
