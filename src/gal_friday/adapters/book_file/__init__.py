"""A trading system's book as a snapshot file that it writes and this program reads, anew at every run."""

from gal_friday.adapters.book_file.book import FileBook

__all__ = ["FileBook"]
