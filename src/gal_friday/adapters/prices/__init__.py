"""Prices that somebody states: in the configuration, or in a file that another program writes."""

from gal_friday.adapters.prices.file import FilePrices
from gal_friday.adapters.prices.fixed import FixedPrices

__all__ = ["FilePrices", "FixedPrices"]
