"""A service to be watched; the world is that of the API's tests."""

from tests.api.conftest import here, made

__all__ = ["here", "made"]
