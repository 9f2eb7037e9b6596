"""Reports and changes of discrepancies, held against the facts that were sealed with them, and the other way round.

Every row has its fact and every fact its row (I10). A fact is what the seal covers; a row is what everybody reads.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.journal.inspection import Flaw
from gal_friday.adapters.journal.rows import in_parts
from gal_friday.adapters.sql.tables import DISCREPANCY_CHANGES, RECONCILIATION_EVENTS
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import Written
from gal_friday.domain.run_facts import report_digest

_CHANGES = frozenset(
    kind.value
    for kind in FactKind
    if kind.name.startswith("DISCREPANCY_") and kind is not FactKind.DISCREPANCY_EXPLAINED
)
_REPORTS_AT_ONCE = 20  # Each may be of several megabytes.
_CHANGE = ("change_id", "discrepancy_id", "account", "number", "at", "what", "state", "note", "reconciliation_id")
_REPORT = ("reconciliation_id", "account", "status", "verdict", "discrepancies_found", "report")


class Ties:
    """Remembers what the facts say of reports and changes, as digests."""

    def __init__(self) -> None:
        """Begin with none."""
        self._changes: dict[str, tuple[int, bytes]] = {}
        self._reports: dict[str, tuple[int, bytes]] = {}
        self.changes = 0
        self.reports = 0

    def take(self, said: Written) -> None:
        """Remember what an entry says, if it is about a report or a change."""
        body = said.body
        if said.kind in _CHANGES:
            what = said.kind.removeprefix("discrepancy_")
            name = f"{said.subject}/{body.get('change')}"
            told = [body.get(field) for field in ("state", "note", "run")]
            row = _digest(said.subject, said.account, body.get("change"), said.at, what, *told)
            self._changes[name] = (said.seq, row)
        elif said.kind == FactKind.RUN_FINISHED:
            told = [body.get(field) for field in ("status", "verdict", "discrepancies", "report_sha256")]
            self._reports[said.subject] = (said.seq, _digest(said.account, *told))

    async def check(self, connection: AsyncConnection) -> None:
        """Raise ``Flaw`` at the first row without its fact, and at the first fact without its row."""
        async for rows in in_parts(connection, DISCREPANCY_CHANGES, _CHANGE):
            self.changes += _met(self._changes, (_of_change(*row) for row in rows), "the change")
        async for rows in in_parts(connection, RECONCILIATION_EVENTS, _REPORT, at_once=_REPORTS_AT_ONCE):
            self.reports += _met(self._reports, (_of_report(*row) for row in rows), "the report")
        for what, left in (("the change", self._changes), ("the report", self._reports)):
            for name, (seq, _) in left.items():
                raise Flaw(f"entry {seq}", f"{what} that it is about is gone", name, "nothing")


def _met(facts: dict[str, tuple[int, bytes]], rows: Iterable[tuple[str, bytes]], what: str) -> int:
    met = 0
    for name, digest in rows:
        seq, sealed = facts.pop(name, (0, b""))
        if not seq:
            raise Flaw(name, f"no entry of the journal is about {what}", "a fact", "none")
        if digest != sealed:
            raise Flaw(name, f"{what} is not what entry {seq} says of it", sealed.hex(), digest.hex())
        met += 1
    return met


def _of_change(change: Any, discrepancy: Any, account: Any, number: int, at: Any, *rest: Any) -> tuple[str, bytes]:
    # What SQLite keeps is the same instant in its own words.
    instant = _text(at).replace("+00:00", "Z") if isinstance(at, bytes) else written_exactly(at)
    return _text(change), _digest(_text(discrepancy), _text(account), number, instant, *map(_text, rest))


def _of_report(name: Any, account: Any, status: Any, verdict: Any, found: int, report: bytes) -> tuple[str, bytes]:
    return _text(name), _digest(_text(account), _text(status), _text(verdict), found, report_digest(report))


def _text(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _digest(*fields: Any) -> bytes:
    seal = sha256()
    for field in fields:
        data = str(field).encode(errors="backslashreplace")
        seal.update(len(data).to_bytes(8, "big") + data)
    return seal.digest()
