"""The dashboard: pages for people, made on the server. They only show; what changes something is a call of the API."""

from gal_friday.web.house import House
from gal_friday.web.pages import add_pages

__all__ = ["House", "add_pages"]
