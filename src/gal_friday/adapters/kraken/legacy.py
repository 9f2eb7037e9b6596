"""Kraken's old spellings, written down by hand, for work without a network.

The list of old crypto ids is closed, that of old currency ids is not: an unknown id made of Z and a
currency code stays unresolved until Kraken's own list has been read. Nothing here is derived by rule,
because no rule gives these lists.

Source: Kraken REST documentation, Get Asset Info and Get Tradable Asset Pairs; Kraken support, "Asset codes".
"""

MODERN = {"XBT": "BTC", "XDG": "DOGE", "FEE": "KFEE"}
"""Altname to canonical code, where the two differ."""

ALTNAMES: dict[str, str] = {
    # Crypto.
    "XETC": "ETC",
    "XETH": "ETH",
    "XLTC": "LTC",
    "XMLN": "MLN",
    "XREP": "REP",
    "XXBT": "XBT",
    "XXDG": "XDG",
    "XXLM": "XLM",
    "XXMR": "XMR",
    "XXRP": "XRP",
    "XZEC": "ZEC",
    # Crypto that is gone.
    "XDAO": "DAO",
    "XXVN": "XVN",
    "XNMC": "NMC",
    "XICN": "ICN",
    # Currencies.
    "ZAUD": "AUD",
    "ZCAD": "CAD",
    "ZEUR": "EUR",
    "ZGBP": "GBP",
    "ZJPY": "JPY",
    "ZUSD": "USD",
    "ZARS": "ARS",
    "ZCLP": "CLP",
    "ZCOP": "COP",
    "ZDKK": "DKK",
    "ZGEL": "GEL",
    "ZGHS": "GHS",
    "ZLKR": "LKR",
    "ZMXN": "MXN",
    "ZPLN": "PLN",
    "ZSEK": "SEK",
    "ZUGX": "UGX",
    "ZVND": "VND",
    "ZXOF": "XOF",
    "ZKRW": "KRW",
    # Fee credits, no currency.
    "KFEE": "FEE",
}
"""Asset id to altname, where the two differ; every other id is its own altname."""

_ISO_4217 = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW
    KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
    NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
    SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS
    VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL
"""
CURRENCIES = frozenset(_ISO_4217.split())
"""ISO 4217: a Z before one of these may be an old prefix, and then again may not."""

LOCKED_FORMS = {"ETH2": "ETH", "ETH2.S": "ETH", "FLOWH": "FLOW", "FLOWH.S": "FLOW"}
"""Old names of locked or staked forms, to the altname of what they are a form of."""

PAIRS: dict[str, tuple[str, str]] = {
    # Ids that differ from the altname.
    "USDTZUSD": ("USDT", "ZUSD"),
    "XETCXETH": ("XETC", "XETH"),
    "XETCXXBT": ("XETC", "XXBT"),
    "XETCZEUR": ("XETC", "ZEUR"),
    "XETCZUSD": ("XETC", "ZUSD"),
    "XETHXXBT": ("XETH", "XXBT"),
    "XETHZCAD": ("XETH", "ZCAD"),
    "XETHZEUR": ("XETH", "ZEUR"),
    "XETHZGBP": ("XETH", "ZGBP"),
    "XETHZJPY": ("XETH", "ZJPY"),
    "XETHZUSD": ("XETH", "ZUSD"),
    "XLTCXXBT": ("XLTC", "XXBT"),
    "XLTCZEUR": ("XLTC", "ZEUR"),
    "XLTCZJPY": ("XLTC", "ZJPY"),
    "XLTCZUSD": ("XLTC", "ZUSD"),
    "XMLNXXBT": ("XMLN", "XXBT"),
    "XMLNZEUR": ("XMLN", "ZEUR"),
    "XMLNZUSD": ("XMLN", "ZUSD"),
    "XREPZEUR": ("XREP", "ZEUR"),
    "XREPZUSD": ("XREP", "ZUSD"),
    "XXBTEUROP": ("XXBT", "EUROP"),
    "XXBTUSDQ": ("XXBT", "USDQ"),
    "XXBTUSDR": ("XXBT", "USDR"),
    "XXBTZCAD": ("XXBT", "ZCAD"),
    "XXBTZEUR": ("XXBT", "ZEUR"),
    "XXBTZGBP": ("XXBT", "ZGBP"),
    "XXBTZJPY": ("XXBT", "ZJPY"),
    "XXBTZUSD": ("XXBT", "ZUSD"),
    "XXDGXXBT": ("XXDG", "XXBT"),
    "XXLMXXBT": ("XXLM", "XXBT"),
    "XXLMZEUR": ("XXLM", "ZEUR"),
    "XXLMZGBP": ("XXLM", "ZGBP"),
    "XXLMZUSD": ("XXLM", "ZUSD"),
    "XXMRXXBT": ("XXMR", "XXBT"),
    "XXMRZEUR": ("XXMR", "ZEUR"),
    "XXMRZUSD": ("XXMR", "ZUSD"),
    "XXRPXXBT": ("XXRP", "XXBT"),
    "XXRPZCAD": ("XXRP", "ZCAD"),
    "XXRPZEUR": ("XXRP", "ZEUR"),
    "XXRPZUSD": ("XXRP", "ZUSD"),
    "XZECZEUR": ("XZEC", "ZEUR"),
    "XZECZUSD": ("XZEC", "ZUSD"),
    "ZEURZUSD": ("ZEUR", "ZUSD"),
    "ZGBPZUSD": ("ZGBP", "ZUSD"),
    "ZUSDZCAD": ("ZUSD", "ZCAD"),
    "ZUSDZJPY": ("ZUSD", "ZJPY"),
    # Ids that are the altname although both sides have an old spelling.
    "AUDJPY": ("ZAUD", "ZJPY"),
    "AUDUSD": ("ZAUD", "ZUSD"),
    "ETHAUD": ("XETH", "ZAUD"),
    "EURAUD": ("ZEUR", "ZAUD"),
    "EURCAD": ("ZEUR", "ZCAD"),
    "EURGBP": ("ZEUR", "ZGBP"),
    "EURJPY": ("ZEUR", "ZJPY"),
    "LTCAUD": ("XLTC", "ZAUD"),
    "LTCETH": ("XLTC", "XETH"),
    "LTCGBP": ("XLTC", "ZGBP"),
    "XBTAUD": ("XXBT", "ZAUD"),
    "XDGAUD": ("XXDG", "ZAUD"),
    "XDGCAD": ("XXDG", "ZCAD"),
    "XDGEUR": ("XXDG", "ZEUR"),
    "XDGGBP": ("XXDG", "ZGBP"),
    "XDGUSD": ("XXDG", "ZUSD"),
    "XRPAUD": ("XXRP", "ZAUD"),
    "XRPETH": ("XXRP", "XETH"),
    "XRPGBP": ("XXRP", "ZGBP"),
}
"""Pair id to base and quote id, for pairs of two old assets."""
