"""The whole program as its users run it."""
