"""A book that is kept elsewhere and spoken to over HTTP: adjustments handed over, and one in memory to try it with."""

from gal_friday.adapters.book_http.memory import MemoryReceiver
from gal_friday.adapters.book_http.receiver import HttpReceiver
from gal_friday.adapters.book_http.transport import Deadlines, UnusableAddress

__all__ = ["Deadlines", "HttpReceiver", "MemoryReceiver", "UnusableAddress"]
