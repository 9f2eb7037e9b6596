"""How much was judged, and what it came to: numbers that are added up, in whatever portions accounts are judged."""

from collections import Counter

from msgspec import Struct, field

from gal_friday.bulk.judge import Judged
from gal_friday.domain.finding import CannotTell, Pending
from gal_friday.domain.records import Kind

_STANDS_UNDER = {kind: (f"{kind}:",) for kind in Kind} | {
    Kind.MOVEMENTS: (f"{Kind.MOVEMENTS}:", f"{Kind.SOURCES}:ledger:")
}
"""How the keys of what is found of a kind begin: that rows of a ledger are missing is found of movements."""


class Tally(Struct):
    """What accounts that were judged come to."""

    accounts: int = 0
    rows: int = 0
    """Of balances."""
    agreed: int = 0
    """Balances."""
    differing: int = 0
    """Balances that do not agree, or cannot be judged."""
    untold: int = 0
    pending: int = 0
    discrepancies: int = 0
    """Of balances and records."""
    by_type: Counter[str] = field(default_factory=Counter)
    by_severity: Counter[str] = field(default_factory=Counter)
    near: Counter[tuple[str, str]] = field(default_factory=Counter)
    looked_at: Counter[Kind] = field(default_factory=Counter)
    """Records of the exchange."""
    agreed_records: Counter[Kind] = field(default_factory=Counter)
    differing_records: Counter[Kind] = field(default_factory=Counter)

    def hear(self, one: Judged) -> None:
        """Count one account more."""
        self.accounts += 1
        self.rows += one.rows
        self.agreed += one.agreed
        for finding in one.findings:
            self.differing += finding.key.kind is Kind.BALANCES
            self.untold += isinstance(finding, CannotTell)
            self.pending += isinstance(finding, Pending)
        self.discrepancies += len(one.discrepancies)
        for discrepancy in one.discrepancies:
            self.by_type[str(discrepancy.type)] += 1
            self.by_severity[str(discrepancy.severity)] += 1
        self.near.update(one.near)
        if len(one.kinds) > 1:
            self._hear_records(one)

    def _hear_records(self, one: Judged) -> None:
        self.looked_at.update(one.looked_at)
        self.agreed_records.update(one.agreed_records)
        for kind in one.kinds:
            keys = _STANDS_UNDER[kind]
            self.differing_records[kind] += sum(found.key.startswith(keys) for found in one.discrepancies)

    def join(self, other: "Tally") -> None:
        """Count all of another as well."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
