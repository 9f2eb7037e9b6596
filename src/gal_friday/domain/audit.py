"""Do the records of one side bear each other out?

A ledger with running balances proves itself row by row, and its newest rows say what the balances are (K1, K2).
Where rows are missing in between, a ledger that claims to be whole is not; where the newest row says something
else than the balance, that balance proves nothing: one of them lags behind, or money is on its way out.

Nothing here looks at the other side, and nothing is repaired.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.chain import Counter, Gap, by_counter, gaps_in
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.snapshot import Coverage, NotChecked, Snapshot

Place = tuple[Asset, Wallet]

_SHOWN_MAX = 3


class Broken(Struct, frozen=True):
    """A chain of running balances that does not hold."""

    name: str
    """What the balances count: the asset as the source spells it, else asset and wallet."""
    asset: Asset
    gaps: tuple[Gap, ...]
    """Where rows are missing, oldest first."""

    @property
    def amount(self) -> Decimal:
        """What the missing rows add up to."""
        return quantity.total(gap.amount for gap in self.gaps)

    def moved(self) -> str:
        """Return the oldest gap in words, and how many more there are: ``moved by 2 BTC between L1 and L3``."""
        first, more = self.gaps[0], len(self.gaps) - 1
        gap = f"moved by {quantity.short(first.amount)} {self.asset} between {first.after} and {first.before}"
        return f"{gap} and {more} more" if more else gap


class Audit(Struct, frozen=True):
    """What the records of one side say about themselves."""

    broken: tuple[Broken, ...] = ()
    """Where rows are missing from a ledger that claims to be whole, by name."""
    unproven: Mapping[Place, str] = {}
    """Balances that the ledger of the same side contradicts, and what the two say."""


_NOTHING = Audit()


def audit_of(snapshot: Snapshot, *, tolerance: Decimal = ZERO) -> Audit:
    """Return where this side contradicts itself; nothing where its ledger was not read in full.

    A balance is held against its ledger only where that shows a row for every name that the balance is made of:
    a name that did not move in the window is neither proven nor contradicted. *tolerance* is inclusive.
    """
    if not snapshot.movements or snapshot.coverage.movements != Coverage.TOTAL:
        return _NOTHING
    newest: dict[Counter, Decimal] = {}
    broken: list[Broken] = []
    for counter, rows in by_counter(snapshot.movements).items():
        if gaps := gaps_in(rows):
            broken.append(Broken(_name_of(counter), rows[0].asset, gaps))
        closing = rows[-1].balance_after
        if closing is not None:
            newest[counter] = closing
    unproven = {
        (row.asset, row.wallet): _told(row, told)
        for row in snapshot.balances
        if (told := _by_ledger(row, newest)) is not None
        and quantity.absolute(quantity.subtract(told, row.total)) > tolerance
    }
    return Audit(tuple(sorted(broken, key=lambda one: one.name)), unproven)


def _name_of(counter: Counter) -> str:
    return counter if isinstance(counter, str) else ":".join(counter)


def _by_ledger(row: Balance, newest: Mapping[Counter, Decimal]) -> Decimal | None:
    """Return what the ledger says the balance is, or None where it does not say."""
    counters: tuple[Counter, ...] = row.raw or ((row.asset, row.wallet),)
    parts = [newest.get(counter) for counter in counters]
    known = [part for part in parts if part is not None]
    return quantity.total(known) if len(known) == len(parts) else None


def _told(row: Balance, by_ledger: Decimal) -> str:
    return (
        f"the exchange states {quantity.short(row.total)} {row.asset}, its own ledger {quantity.short(by_ledger)}: "
        f"one of them lags behind, or a withdrawal is on its way; run again"
    )


def as_proven(snapshot: Snapshot, audit: Audit) -> Snapshot:
    """Return the snapshot as far as it is borne out: a ledger with gaps is partial, whatever it claims (I6)."""
    if not audit.broken:
        return snapshot
    coverage = replace(snapshot.coverage, movements=Coverage.PARTIAL)
    unseen = NotChecked(Kind.MOVEMENTS, unseen_rows([each.moved() for each in audit.broken]), snapshot.side)
    return replace(snapshot, coverage=coverage, not_checked=(*snapshot.not_checked, unseen))


def unseen_rows(moves: Sequence[str]) -> str:
    """Return that a ledger is not whole, and what to do: *moves* is what its balances did without a row."""
    more = f" and in {len(moves) - _SHOWN_MAX} more assets" if len(moves) > _SHOWN_MAX else ""
    shown = "; ".join(moves[:_SHOWN_MAX])
    return f"ledger rows are missing: its own running balances {shown}{more}, without a row; read it again in full"
