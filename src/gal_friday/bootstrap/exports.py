"""The export files of an exchange, read without network or key. Nothing else names their reader."""

from collections.abc import Sequence
from pathlib import Path

from gal_friday.adapters.kraken.exports import Exports, read_exports

__all__ = ["Exports", "exports_in"]


def exports_in(paths: Sequence[Path]) -> Exports:
    """Return fills and movements of these files together: Kraken's ledgers.csv, trades.csv, or the ZIP of either.

    Raises:
        ExchangeMalformed: one of them is no such file, or a line cannot be read; file and line are named.
    """
    return read_exports(*paths)
