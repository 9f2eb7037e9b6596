"""What the findings of many accounts come to: by type, by account, and the largest of them, however many there are."""

from collections.abc import Iterable
from decimal import Decimal
from heapq import nlargest
from typing import NamedTuple, Protocol

from msgspec import Struct

from gal_friday.bulk.judge import Judged
from gal_friday.domain import quantity
from gal_friday.domain.discrepancy import Discrepancy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.materiality import RANK, Severity, more_severe
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind

LARGEST, ACCOUNTS = 100, 25
"""So many are kept."""


_AMOUNTS = (f"{Kind.BALANCES}:", f"{Kind.POSITIONS}:")


class Found(NamedTuple):
    """A discrepancy, and the account that it is in."""

    account: str
    one: Discrepancy


class Weighty(Protocol):
    """A discrepancy, of now or earlier."""

    @property
    def key(self) -> object: ...  # noqa: D102

    @property
    def severity(self) -> Severity: ...  # noqa: D102

    @property
    def value(self) -> Decimal | None: ...  # noqa: D102


class Share(Struct):
    """So many discrepancies, and what they are worth."""

    count: int = 0
    value: Decimal = ZERO
    unpriced: int = 0
    """Of how many of them no price is known."""
    worst: Severity = Severity.LOW

    def add(self, one: Weighty, *, records: bool = False) -> None:
        """Count this one as well; what a record is worth is that of a balance or position too, and added if asked."""
        self.count += 1
        self.worst = more_severe(self.worst, one.severity)
        if not records and not str(one.key).startswith(_AMOUNTS):
            return
        if one.value is None:
            self.unpriced += 1
        else:
            self.value = quantity.add(self.value, one.value)

    def join(self, other: "Share") -> None:
        """Count all of another share as well."""
        self.count += other.count
        self.value = quantity.add(self.value, other.value)
        self.unpriced += other.unpriced
        self.worst = more_severe(self.worst, other.worst)


class Weighed:
    """Hears of every account that does not agree, and keeps no more than its bounds."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.all, self.unlike = Share(), 0
        self.by_type: dict[DiscrepancyType, Share] = {}
        self.by_cause: dict[str, Share] = {}
        """Where records tell why."""
        self._largest: list[Found] = []
        self._accounts: list[tuple[str, Share]] = []

    def hear(self, judged: Judged) -> None:
        """Count the discrepancies of one account, which comes once."""
        if not judged.discrepancies:
            return
        whole, self.unlike = Share(), self.unlike + 1
        for one in judged.discrepancies:
            self.all.add(one)
            whole.add(one)
            self.by_type.setdefault(one.type, Share()).add(one, records=True)
            if one.cause is not None:
                self.by_cause.setdefault(one.cause, Share()).add(one)
        self._accounts.append((judged.account, whole))
        self._largest += [Found(judged.account, one) for one in judged.discrepancies]
        self._bound()

    def join(self, other: "Weighed") -> None:
        """Count what another heard of accounts that come after those that were heard here."""
        self.all.join(other.all)
        self.unlike += other.unlike
        for kind, share in other.by_type.items():
            self.by_type.setdefault(kind, Share()).join(share)
        for cause, share in other.by_cause.items():
            self.by_cause.setdefault(cause, Share()).join(share)
        self._accounts += other._accounts
        self._largest += other._largest
        self._bound()

    def _bound(self) -> None:
        if len(self._accounts) > 10 * ACCOUNTS:
            self._accounts = self.accounts()
        if len(self._largest) > 10 * LARGEST:
            self._largest = self.largest()

    def largest(self) -> list[Found]:
        """Return the discrepancies that are worth most, the largest first; of the same worth the gravest."""
        return nlargest(LARGEST, self._largest, key=lambda found: _weight(found.one.value or ZERO, found.one.severity))

    def accounts(self) -> list[tuple[str, Share]]:
        """Return the accounts whose discrepancies are worth most, the largest first."""
        return nlargest(ACCOUNTS, self._accounts, key=lambda one: (_weight(one[1].value, one[1].worst), one[1].count))

    def causes(self) -> Iterable[tuple[str, Share]]:
        """Return every cause that was told, the one that is worth most first."""
        return sorted(self.by_cause.items(), key=lambda one: (quantity.negate(one[1].value), -one[1].count, one[0]))

    def types(self) -> Iterable[tuple[DiscrepancyType, Share]]:
        """Return every type that was found, the most frequent first."""
        return sorted(self.by_type.items(), key=lambda one: (-one[1].count, one[0]))


def _weight(value: Decimal, severity: Severity) -> tuple[Decimal, int]:
    return value, RANK[severity]
