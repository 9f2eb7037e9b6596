"""The findings of the day before beside those of now: what was opened, what is still open, what was cleared.

A discrepancy is cleared only where its key is seen to agree, or to differ in another way (I7): by the same rule by
which the service carries discrepancies from run to run.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from heapq import nlargest
from pathlib import Path
from typing import Any

from msgspec import Struct

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.judge import Judged
from gal_friday.bulk.lines import CANNOT_TELL, Unjudged, rows_in
from gal_friday.bulk.weighed import LARGEST, Share
from gal_friday.domain import quantity
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.finding import CannotTell, DiscrepancyType, Finding, Key, Pending
from gal_friday.domain.following import gone
from gal_friday.domain.materiality import Severity
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind

_NEEDED = ("account", "key", "what", "difference", "severity", "value", "id")


class Earlier(Struct, frozen=True, gc=False):
    """A discrepancy as a file of findings has it."""

    id: str
    account: str
    key: Key
    type: DiscrepancyType | None
    """None where it could not be judged then either."""
    difference: Decimal | None
    severity: Severity
    value: Decimal | None


class Cleared(Struct, frozen=True):
    """A discrepancy that is gone, and how that was seen."""

    was: Earlier
    how: str


class DayOverDay:
    """Hears of every account, and tells what became of each discrepancy of the day before."""

    def __init__(self, before: Mapping[str, Sequence[Earlier]]) -> None:
        """Take the discrepancies of the day before, by account."""
        self._before = before
        self._known = {one.id for some in before.values() for one in some}
        self.opened, self.still_open, self.cleared, self.not_judged = Share(), Share(), Share(), Share()
        self.gone: list[Cleared] = []

    @property
    def watched(self) -> Mapping[str, frozenset[Key]]:
        """The keys of all of them, by account."""
        return {account: frozenset(one.key for one in some) for account, some in self._before.items()}

    @property
    def shares(self) -> Mapping[str, Share]:
        """What became of all of them, and what is new, by its name."""
        names = ("opened", "still_open", "cleared", "not_judged")
        return {name: getattr(self, name) for name in names}

    def largest_gone(self) -> list[Cleared]:
        """Return those that are gone and were worth most, the largest first."""
        return nlargest(LARGEST, self.gone, key=lambda one: one.was.value or ZERO)

    def is_new(self, discrepancy_id: str) -> bool:
        """Say whether the day before did not have it."""
        return discrepancy_id not in self._known

    def hear(self, judged: Judged) -> Sequence[Unjudged]:
        """Count one account; return what is open there from the day before and could not be judged now."""
        seen = {one.id for one in judged.discrepancies}
        for one in judged.discrepancies:
            (self.opened if self.is_new(one.id) else self.still_open).add(one)
        found, left = {finding.key: finding for finding in judged.watched}, []
        for was in self._before.get(judged.account, ()):
            if was.id in seen:
                continue
            finding = found.get(was.key)
            if how := gone(finding, was.type):
                self.cleared.add(was)
                self.gone.append(Cleared(was, how))
            else:
                self.not_judged.add(was)
                left.append(Unjudged(was.key, was.id, was.severity, was.value, _why(finding)))
        return left


def _why(finding: Finding | None) -> str:
    return finding.reason if isinstance(finding, CannotTell | Pending) else "nothing is known of it"


def findings_in(path: Path) -> Mapping[str, Sequence[Earlier]]:
    """Return the discrepancies in a file that ``--findings`` wrote, by account.

    Raises:
        UnusableTable: it cannot be read, or is no such file.
        EngineMissing: it is Parquet, and what reads that is not installed.
    """
    found: dict[str, list[Earlier]] = {}
    for number, row in enumerate(rows_in(path, _NEEDED), start=1):
        if not row.get("id"):
            continue  # could not be judged, and was not known to differ
        try:
            one = _earlier(row)
        except (GalFridayError, ValueError, AttributeError, TypeError) as wrong:
            raise UnusableTable(f"{path}: finding {number} is none that --findings writes: {wrong}") from wrong
        found.setdefault(one.account, []).append(one)
    return found


def _earlier(row: Mapping[str, Any]) -> Earlier:
    what, difference, value = row["what"], row["difference"], row["value"]
    return Earlier(
        id=row["id"],
        account=row["account"],
        key=_key(row["key"], row.get("record")),
        type=None if what == CANNOT_TELL else DiscrepancyType(what),
        difference=quantity.reread(difference) if difference else None,
        severity=Severity(row["severity"]),
        value=quantity.reread(value) if value else None,
    )


def _key(text: str, record: str | None) -> Key:
    kind, _, name = text.partition(":")
    if record:
        return Key(Kind(kind), record, name.removeprefix(record).removeprefix(":"))
    return Key(Kind(kind), *name.rsplit(":", 1))
