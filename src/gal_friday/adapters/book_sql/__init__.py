"""The embedded book: an append-only record of fills, movements and orders, in a database or in memory.

Both follow the same pure rules: ``entries`` (what is new), ``opening`` (how a book begins), ``view`` (what
it says).
"""

from gal_friday.adapters.book_sql.book import SqlBook
from gal_friday.adapters.book_sql.memory import MemoryBook

__all__ = ["MemoryBook", "SqlBook"]
