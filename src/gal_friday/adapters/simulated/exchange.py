"""The simulated exchange as its users see it: every kind of event is a method that returns the ids it made.

    clock = VirtualClock()
    exchange = Exchange(clock.now, seed=1)
    exchange.open_account("main")
    key = exchange.issue_key("main")
    exchange.deposit("main", "ZUSD", "10000")
    exchange.set_price("XXBTZUSD", "60000")
    placed = exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1")

Everything is synchronous and deterministic: the same calls at the same instants with the same seed make
the same rows. Nothing here knows HTTP; ``server`` puts it on the wire.
"""

from gal_friday.adapters.simulated.csv_files import CsvFiles
from gal_friday.adapters.simulated.earn import Earn
from gal_friday.adapters.simulated.keys import Keys
from gal_friday.adapters.simulated.trading import Trading
from gal_friday.adapters.simulated.valuation import Valuation


class Exchange(Earn, Trading, Valuation, CsvFiles, Keys):
    """A small exchange with exact decimals; the identities K1 to K10 hold at every moment."""
