"""A trading system's book as a snapshot file that it writes and this program reads, anew at every run."""

from gal_friday.adapters.book_file.book import FileBook
from gal_friday.adapters.book_file.reading import read_bounded

__all__ = ["FileBook", "read_bounded"]
