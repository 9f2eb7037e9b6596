"""The embedded book: an append-only record of fills, movements and orders, in a database or in memory.

Both follow the same pure rules: ``entries`` (what is new), ``opening`` (how a book begins), ``shelf`` (what stands),
``delivery`` (what arrives late), ``posting`` (what an adjustment writes), ``view`` (what the book says).
Adjustments of books that somebody else keeps are kept here as well (``keeping``), and handed over (``handing_over``).
"""

from gal_friday.adapters.book_sql.adjustments import SqlAdjustments
from gal_friday.adapters.book_sql.book import SqlBook
from gal_friday.adapters.book_sql.handing_over import HandoverAdjustments
from gal_friday.adapters.book_sql.memory import MemoryBook
from gal_friday.adapters.book_sql.memory_adjustments import MemoryAdjustments

__all__ = ["HandoverAdjustments", "MemoryAdjustments", "MemoryBook", "SqlAdjustments", "SqlBook"]
