"""Chance, for secrets alone: the one place besides signing keys where something cannot be worked out again."""

import secrets


class SystemChance:
    """``Chance`` from the operating system."""

    def bytes(self, count: int) -> bytes:
        """Return so many bytes that nobody can guess."""
        return secrets.token_bytes(count)
