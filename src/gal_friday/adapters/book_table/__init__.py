"""A book that is kept elsewhere and takes adjustments from a table of its own database."""

from gal_friday.adapters.book_table.receiver import COLUMNS, TableReceiver

__all__ = ["COLUMNS", "TableReceiver"]
