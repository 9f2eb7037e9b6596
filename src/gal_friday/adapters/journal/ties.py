"""Reports, discrepancies and decisions, held against the facts that were sealed with them, and the other way round.

Every row has its fact and every fact its row (I10). A fact is what the seal covers; a row is what everybody reads.
What people and policy decided is in ``decisions``.
"""

import asyncio
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.journal.decisions import Decisions
from gal_friday.adapters.journal.rows import in_parts
from gal_friday.adapters.journal.told import digest, instant, met, nothing_left, read_as, text
from gal_friday.adapters.sql.tables import DISCREPANCIES, DISCREPANCY_CHANGES, RECONCILIATION_EVENTS
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
_DISCREPANCY = ("discrepancy_id", "account", "state", "body")
_REPORT = ("reconciliation_id", "account", "status", "verdict", "discrepancies_found", "report")


class _Standing(Struct):
    """What the body of a discrepancy says of where it stands."""

    id: str
    account: str
    state: str
    changes: int


class Ties:
    """Remembers what the facts say of reports, discrepancies and decisions, as digests."""

    def __init__(self) -> None:
        """Begin with none."""
        self._changes: dict[str, tuple[int, bytes]] = {}
        self._standing: dict[str, tuple[int, bytes]] = {}
        self._reports: dict[str, tuple[int, bytes]] = {}
        self.decisions = Decisions()
        self.changes = 0
        self.reports = 0

    def take(self, said: Written) -> None:
        """Remember what an entry says, if it is about a report, a discrepancy or a decision."""
        body = said.body
        if said.kind in _CHANGES:
            what = said.kind.removeprefix("discrepancy_")
            name, number, state = said.subject, body.get("change"), body.get("state")
            row = digest(name, said.account, number, said.at, what, state, body.get("note"), body.get("run"))
            self._changes[f"{name}/{number}"] = (said.seq, row)
            self._standing[name] = (said.seq, digest(said.account, state, name, said.account, state, number))
        elif said.kind == FactKind.RUN_FINISHED:
            told = [body.get(field) for field in ("status", "verdict", "discrepancies", "report_sha256")]
            self._reports[said.subject] = (said.seq, digest(said.account, *told))
        else:
            self.decisions.take(said)

    async def check(self, connection: AsyncConnection) -> None:
        """Raise ``Flaw`` at the first row without its fact, and at the first fact without its row."""
        async for rows in in_parts(connection, DISCREPANCY_CHANGES, _CHANGE):
            self.changes += await asyncio.to_thread(
                met, self._changes, (_of_change(*row) for row in rows), "the change"
            )
        async for rows in in_parts(connection, DISCREPANCIES, _DISCREPANCY):
            told = (_of_discrepancy(*row) for row in rows)
            await asyncio.to_thread(met, self._standing, told, "the discrepancy")
        async for rows in in_parts(connection, RECONCILIATION_EVENTS, _REPORT, at_once=_REPORTS_AT_ONCE):
            self.reports += await asyncio.to_thread(
                met, self._reports, (_of_report(*row) for row in rows), "the report"
            )
        nothing_left(self._changes, "the change")
        nothing_left(self._standing, "the discrepancy")
        nothing_left(self._reports, "the report")
        await self.decisions.check(connection)


def _of_change(change: Any, discrepancy: Any, account: Any, number: int, at: Any, *rest: Any) -> tuple[str, bytes]:
    return text(change), digest(text(discrepancy), text(account), number, instant(at), *map(text, rest))


def _of_discrepancy(name: Any, account: Any, state: Any, body: bytes) -> tuple[str, bytes]:
    said = read_as(_Standing, body, text(name), "the discrepancy")
    return text(name), digest(text(account), text(state), said.id, said.account, said.state, said.changes)


def _of_report(name: Any, account: Any, status: Any, verdict: Any, found: int, report: bytes) -> tuple[str, bytes]:
    return text(name), digest(text(account), text(status), text(verdict), found, report_digest(report))
