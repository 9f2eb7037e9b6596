"""The hand-written table of assets and pairs: a few dozen rows that carry every naming quirk.

Legacy X and Z ids next to ids that only look so (XTZ, ZRX, XCN); Doge with four spellings; fiat with and
without Z (CHF); mixed-case tokenized stocks; wallet suffixes on the altname; two keys with one altname;
one base and quote on two venues with a colon in the id; assets and pairs that history names although the
lists no longer do. Prices are not here: the exchange is told its prices.
"""

from functools import partial

from gal_friday.adapters.simulated.instruments import Asset, Instruments, Pair

CURRENCY = "currency"
TOKENIZED = "tokenized_asset"
_TEN = tuple(range(2, 11))
_FIVE = (2, 3, 4, 5)
_THREE = (2, 3)


def _asset(
    asset_id: str, altname: str, decimals: int, shown: int, collateral: str | None = None, modern: str = ""
) -> Asset:
    return Asset(asset_id, altname, modern or altname, decimals, shown, collateral=collateral)


def _variant(asset_id: str, plain: str, decimals: int, shown: int, modern: str = "") -> Asset:
    return Asset(asset_id, asset_id, modern or asset_id, decimals, shown, plain=plain)


ASSETS = (
    _asset("XXBT", "XBT", 10, 5, "0.98", "BTC"),
    _asset("XETH", "ETH", 10, 5, "0.98"),
    _asset("XXRP", "XRP", 8, 5, "0.95"),
    _asset("XXDG", "XDG", 8, 2, "0.9", "DOGE"),
    _asset("XXLM", "XLM", 8, 5),
    _asset("XLTC", "LTC", 10, 5, "0.95"),
    _asset("XETC", "ETC", 10, 5),
    _asset("XXMR", "XMR", 10, 5),
    _asset("XZEC", "ZEC", 10, 5),
    _asset("ADA", "ADA", 8, 6, "0.95"),
    _asset("SOL", "SOL", 10, 5, "0.95"),
    _asset("DOT", "DOT", 10, 8, "0.9"),
    _asset("ATOM", "ATOM", 8, 6),
    _asset("KSM", "KSM", 10, 8),
    _asset("POL", "POL", 10, 5),
    _asset("XTZ", "XTZ", 8, 6),
    _asset("ZRX", "ZRX", 10, 5),
    _asset("XCN", "XCN", 8, 5),
    _asset("USDT", "USDT", 8, 4, "1"),
    _asset("USDC", "USDC", 8, 4, "1"),
    _asset("ZUSD", "USD", 4, 2, "1"),
    _asset("ZEUR", "EUR", 4, 2, "1"),
    _asset("ZGBP", "GBP", 4, 2, "1"),
    _asset("ZCAD", "CAD", 4, 2),
    _asset("ZAUD", "AUD", 4, 2),
    _asset("ZJPY", "JPY", 2, 0),
    _asset("CHF", "CHF", 4, 2),
    _asset("ZPLN", "PLN", 4, 2),
    _asset("KFEE", "FEE", 2, 2),
    _asset("ETH2", "ETH2", 10, 5),
    _variant("ETH2.S", "ETH2", 10, 5),
    _variant("DOT.S", "DOT", 10, 8),
    _variant("DOT28.S", "DOT", 10, 8),
    _variant("ATOM21.S", "ATOM", 8, 6),
    _variant("KSM.P", "KSM", 10, 8),
    _variant("XBT.M", "XXBT", 10, 8, "BTC.M"),
    _variant("USD.M", "ZUSD", 4, 4),
    _variant("EUR.M", "ZEUR", 4, 4),
    _variant("EUR.HOLD", "ZEUR", 4, 2),
    _variant("USD.HOLD", "ZUSD", 4, 2),
    Asset("AAPLx", "AAPLx", "AAPLx", 10, 5, aclass=TOKENIZED),
    Asset("AAOIx", "AAOIx", "AAOIx", 10, 5, aclass=TOKENIZED),
    # Delisted: absent from Assets, while old rows keep naming them.
    Asset("WAVES", "WAVES", "WAVES", 10, 5, listed=False),
    Asset("MATIC", "MATIC", "MATIC", 10, 5, listed=False),
)


_MODERN = {"XBT": "BTC", "XDG": "DOGE"}


def _pair(
    pair_id: str,
    altname: str,
    slash: str,
    assets: tuple[str, str],
    decimals: tuple[int, int],
    ordermin: str,
    leverage: tuple[int, ...] = (),
    limits: tuple[int, int] | None = None,
    *,
    stable: bool = False,
) -> Pair:
    old_base, old_quote = slash.split("/")
    return Pair(
        id=pair_id,
        altname=altname,
        wsname=slash,
        modern=f"{_MODERN.get(old_base, old_base)}/{_MODERN.get(old_quote, old_quote)}",
        base=assets[0],
        quote=assets[1],
        pair_decimals=decimals[0],
        cost_decimals=decimals[1],
        ordermin=ordermin,
        leverage=leverage,
        stable=stable,
        position_limits=limits,
    )


_stable = partial(_pair, stable=True)

BTC, ETH, XRP, XDG, USD, EUR = "XXBT", "XETH", "XXRP", "XXDG", "ZUSD", "ZEUR"

PAIRS = (
    _pair("XXBTZUSD", "XBTUSD", "XBT/USD", (BTC, USD), (1, 5), "0.00005", _TEN, (300, 240)),
    _pair("XXBTZEUR", "XBTEUR", "XBT/EUR", (BTC, EUR), (1, 5), "0.00005", _TEN, (130, 100)),
    _pair("XXBTZGBP", "XBTGBP", "XBT/GBP", (BTC, "ZGBP"), (1, 5), "0.00005", _THREE, (10, 10)),
    _pair("XBTCHF", "XBTCHF", "XBT/CHF", (BTC, "CHF"), (1, 5), "0.00005", _THREE, (13, 18)),
    _pair("XBTUSDT", "XBTUSDT", "XBT/USDT", (BTC, "USDT"), (1, 5), "0.00005", _TEN, (80, 80)),
    _pair("XBTUSDC", "XBTUSDC", "XBT/USDC", (BTC, "USDC"), (2, 5), "0.00005", _TEN, (60, 60)),
    _pair("XETHZUSD", "ETHUSD", "ETH/USD", (ETH, USD), (2, 5), "0.001", _TEN, (4500, 3000)),
    _pair("XETHZEUR", "ETHEUR", "ETH/EUR", (ETH, EUR), (2, 5), "0.001", _TEN, (1400, 1000)),
    _pair("XETHXXBT", "ETHXBT", "ETH/XBT", (ETH, BTC), (5, 10), "0.001", _FIVE, (1000, 600)),
    _pair("ETHUSDT", "ETHUSDT", "ETH/USDT", (ETH, "USDT"), (2, 5), "0.001", _FIVE, (900, 700)),
    _pair("XXRPZUSD", "XRPUSD", "XRP/USD", (XRP, USD), (5, 8), "1.65", _TEN, (3200000, 1800000)),
    _pair("XXRPZEUR", "XRPEUR", "XRP/EUR", (XRP, EUR), (5, 8), "1.65", _TEN, (2500000, 1200000)),
    _pair("XDGUSD", "XDGUSD", "XDG/USD", (XDG, USD), (7, 9), "13", _TEN, (30000000, 30000000)),
    _pair("XDGEUR", "XDGEUR", "XDG/EUR", (XDG, EUR), (7, 9), "13", _TEN, (16000000, 6700000)),
    _pair("XXDGXXBT", "XDGXBT", "XDG/XBT", (XDG, BTC), (9, 9), "13", _THREE, (3600000, 2600000)),
    _pair("XXLMZUSD", "XLMUSD", "XLM/USD", ("XXLM", USD), (6, 8), "12", _THREE, (2000000, 800000)),
    _pair("XLTCZUSD", "LTCUSD", "LTC/USD", ("XLTC", USD), (2, 5), "0.04", _FIVE, (6000, 4000)),
    _pair("ADAUSD", "ADAUSD", "ADA/USD", ("ADA", USD), (6, 6), "4.4", _TEN, (4000000, 4000000)),
    _pair("ADAEUR", "ADAEUR", "ADA/EUR", ("ADA", EUR), (6, 6), "4.4", _TEN, (2500000, 1500000)),
    _pair("SOLUSD", "SOLUSD", "SOL/USD", ("SOL", USD), (2, 5), "0.02", _TEN, (37000, 24000)),
    _pair("SOLEUR", "SOLEUR", "SOL/EUR", ("SOL", EUR), (2, 5), "0.02", _TEN, (20000, 12000)),
    _pair("DOTUSD", "DOTUSD", "DOT/USD", ("DOT", USD), (4, 5), "0.6", _THREE, (570000, 260000)),
    _pair("DOTEUR", "DOTEUR", "DOT/EUR", ("DOT", EUR), (4, 5), "0.6", _THREE, (300000, 150000)),
    _pair("ATOMUSD", "ATOMUSD", "ATOM/USD", ("ATOM", USD), (4, 6), "0.5", _THREE, (90000, 50000)),
    _pair("XTZUSD", "XTZUSD", "XTZ/USD", ("XTZ", USD), (4, 6), "3", _THREE, (320000, 220000)),
    _pair("ZRXUSD", "ZRXUSD", "ZRX/USD", ("ZRX", USD), (4, 5), "9", _THREE, (590000, 120000)),
    _pair("XCNUSD", "XCNUSD", "XCN/USD", ("XCN", USD), (5, 9), "900", _THREE, (5500000, 5000000)),
    _stable("USDTZUSD", "USDTUSD", "USDT/USD", ("USDT", USD), (5, 8), "5", (2,), (3200000, 4600000)),
    _stable("USDTEUR", "USDTEUR", "USDT/EUR", ("USDT", EUR), (4, 8), "5", _THREE, (16000000, 16000000)),
    _stable("USDCUSD", "USDCUSD", "USDC/USD", ("USDC", USD), (4, 8), "5", _THREE, (15000000, 15000000)),
    _stable("USDCEUR", "USDCEUR", "USDC/EUR", ("USDC", EUR), (4, 8), "5", _THREE, (5000000, 5000000)),
    _stable("ZEURZUSD", "EURUSD", "EUR/USD", (EUR, USD), (5, 5), "0.5"),
    _stable("ZGBPZUSD", "GBPUSD", "GBP/USD", ("ZGBP", USD), (5, 5), "5"),
    _stable("AUDUSD", "AUDUSD", "AUD/USD", ("ZAUD", USD), (5, 5), "10"),
    _stable("USDCHF", "USDCHF", "USD/CHF", (USD, "CHF"), (5, 5), "5"),
    # Lots of five decimals, unlike all the others.
    Pair("POLUSD", "POLUSD", "POL/USD", "POL/USD", "POL", USD, 5, 9, "37", 5, leverage=_THREE,
         position_limits=(2600000, 1300000)),
    # The same base and quote as XXBTZUSD on another venue, without a slash name.
    Pair("XBTUSD:BTNL", "XBTUSD:BTNL", None, "BTC/USD:BTNL", BTC, USD, 1, 5, "0.00005",
         venue="bitnomial_exchange"),
    # One altname under two keys.
    Pair("AAOISPVUSD", "AAOIxUSD", None, "AAOIx/USD:SPV", "AAOIx", USD, 2, 5, "0.01", aclass_base=TOKENIZED),
    Pair("AAOIxUSD", "AAOIxUSD", "AAOIx/USD", "AAOIx/USD", "AAOIx", USD, 2, 5, "0.01", aclass_base=TOKENIZED),
    Pair("AAPLxUSD", "AAPLxUSD", "AAPLx/USD", "AAPLx/USD", "AAPLx", USD, 2, 5, "0.01", aclass_base=TOKENIZED),
    # Delisted pairs: history names them, AssetPairs does not.
    Pair("WAVESUSD", "WAVESUSD", "WAVES/USD", "WAVES/USD", "WAVES", USD, 4, 5, "1", listed=False),
    Pair("MATICUSD", "MATICUSD", "MATIC/USD", "MATIC/USD", "MATIC", USD, 4, 5, "10", listed=False),
)  # fmt: skip


def standard() -> Instruments:
    """Return a fresh set of the instruments of this table."""
    return Instruments(ASSETS, PAIRS)
