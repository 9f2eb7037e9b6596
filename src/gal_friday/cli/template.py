"""The configuration that ``gal-friday init`` writes: short, commented, and valid as it stands."""

TEMPLATE = """\
# Gal-Friday: what to compare, and with which read-only key.
# `gal-friday config schema` lists everything that can be set, `gal-friday config check` checks this file.
# Every setting can be overridden by the environment: GAL_FRIDAY_RECONCILIATION__LOOKBACK_HOURS=48

[accounts.main]
exchange = "kraken"

# Where key and secret lie, never the secret itself:
#   env:NAME               an environment variable
#   file:PATH              a file that holds nothing else (chmod 600)
#   cred:NAME              systemd's LoadCredential=
#   keyring:SERVICE/NAME   the system's keyring, with pip install 'gal-friday[keyring]'
api_key = "env:KRAKEN_API_KEY"
api_secret = "env:KRAKEN_API_SECRET"

# The account's verification level at Kraken sets its rate limit: starter, intermediate or pro.
# A day of 1,000 orders and fills is read in about nine minutes with starter, in three with pro.
tier = "starter"

# What a run may do about what it finds: observe; propose, and a person approves; enforce: what is proven, or small,
# is posted to the book without a person, told in the report, and can be taken back. Nothing writes to Kraken.
mode = "propose"

# The book to compare with. Embedded: kept here, fed by `gal-friday book import`.
[accounts.main.book]
type = "embedded"

# Or a snapshot file that the trading system writes, read anew at every run:
# [accounts.main.book]
# type = "file"
# path = "/path/to/snapshot.json"
# stale_after_minutes = 60
# Repairs are handed over to your system where a writer says how (docs/handing-over.md); without one they are proposed.
# writer = { type = "http", url = "https://bot.example/adjustments", token = "env:BOT_TOKEN" }

[reconciliation]
lookback_hours = 24            # how far back orders, fills and movements are compared
reporting_currency = "USD"     # values are stated in it
tolerance = "0.00000001"       # a difference of exactly this much still agrees

# Where reports and the embedded book are kept; by default an SQLite file in the user's data folder.
# [database]
# url = "sqlite+aiosqlite:////path/to/gal-friday.db"
# url = "postgresql+asyncpg://gal_friday@localhost/gal_friday"

# Where `gal-friday serve` answers: see docs/access.md.
# [api]
# port = 8321
# public_url = "https://gal-friday.example"

# Who is told, and how: see docs/alerts.md. `gal-friday alerts test` tries every channel.
# [alerts]
# severity = "critical"          # open discrepancies are told from this severity on
# [alerts.channels.ops]
# type = "webhook"               # or pagerduty, alertmanager, email, apprise, log
# url = "https://hooks.example/gal-friday"
# secret = "env:WEBHOOK_SECRET"

# The trading system's names, where they are not the canonical ones (BTC, XRP/USD).
# [aliases.assets]
# XBT = "BTC"
# [aliases.instruments]
# XBTUSD = "BTC/USD"
"""

NEXT_STEPS = """\
Next:
  1. Create an API key of its own for Gal-Friday at Kraken (Settings, API): not the bot's key, because two
     programs on one key disturb each other's nonces. Give it four rights and no other:
         Query funds
         Query open orders & trades
         Query closed orders & trades
         Query ledger entries
     Gal-Friday refuses a key that may trade or withdraw.
  2. export KRAKEN_API_KEY=... KRAKEN_API_SECRET=...
  3. gal-friday config check{config}
  4. gal-friday book import ledgers.csv trades.csv{config}
     with the exports from Kraken's website, or a snapshot file of your system; where [accounts.main.book] names a
     file, there is nothing to import.
  5. gal-friday preflight{config}
  6. gal-friday run{config}\
"""
