"""What one read rested on: the digest of the raw answers, their number, and the warnings that came along."""

import hashlib
from collections.abc import Callable

from gal_friday.adapters.kraken.client import Reply
from gal_friday.domain.snapshot import Evidence

KeepRaw = Callable[[str, bytes], None]
"""Called with the source and the raw bytes of each answer that was used."""


class Trail:
    """Collects the evidence of one read, answer by answer, in the order in which they came."""

    def __init__(self, keep_raw: KeepRaw | None = None) -> None:
        """Hand every raw answer on to *keep_raw*, where there is one."""
        self._keep_raw = keep_raw
        self._sources: dict[str, _Source] = {}
        self._notes: dict[str, None] = {}

    def add(self, reply: Reply, rows: int) -> None:
        """Take in one answer that held this many rows."""
        source = self._sources.setdefault(reply.endpoint, _Source())
        source.digest.update(len(reply.body).to_bytes(8, "big"))
        source.digest.update(reply.body)
        source.pages += 1
        source.rows += rows
        for warning in reply.warnings:
            self._notes[f"Kraken {reply.endpoint} said: {warning}"] = None
        if self._keep_raw is not None:
            self._keep_raw(f"kraken/{reply.endpoint}", reply.body)

    @property
    def notes(self) -> tuple[str, ...]:
        """The warnings of the exchange, each once."""
        return tuple(self._notes)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """One entry per endpoint that was asked."""
        return tuple(
            Evidence(f"kraken/{name}", source.digest.hexdigest(), source.pages, source.rows)
            for name, source in self._sources.items()
        )


class _Source:
    __slots__ = ("digest", "pages", "rows")

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.pages = 0
        self.rows = 0
