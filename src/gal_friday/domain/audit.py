"""Do the records of one side bear each other out?

A ledger with running balances proves itself row by row, and its newest rows say what the balances are (K1, K2).
Where rows are missing in between, a ledger that claims to be whole is not; where the newest row says something
else than the balance, that balance proves nothing: one of them lags behind, or money is on its way out.

Nothing here looks at the other side, and nothing is repaired.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.chain import Gap, chained
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Balance, Kind, Movement
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
    newest: dict[str, Decimal] = {}
    broken: list[Broken] = []
    for name, rows in sorted(_by_name(snapshot.movements).items()):
        closing = _closing(rows)
        if closing is None:
            links = chained(rows)
            gaps = tuple(link.gap for link in links if link.gap is not None)
            broken += [Broken(name, rows[0].asset, gaps)] if gaps else []
            closing = links[-1].row.balance_after
        if closing is not None:
            newest[name] = closing
    unproven = {
        (row.asset, row.wallet): _told(row, told)
        for row in snapshot.balances
        if (told := _by_ledger(row, newest)) is not None
        and quantity.absolute(quantity.subtract(told, row.total)) > tolerance
    }
    return Audit(tuple(broken), unproven)


def _by_name(rows: Iterable[Movement]) -> dict[str, list[Movement]]:
    """Return the rows by what their running balance counts: a name of the source, else an asset in a wallet."""
    names: dict[str, list[Movement]] = {}
    for row in {row.movement_id: row for row in rows}.values():
        name = row.raw[0] if row.raw else _place_name(row)
        if name in names:
            names[name].append(row)
        else:
            names[name] = [row]
    return names


def _place_name(row: Balance | Movement) -> str:
    return f"{row.asset}:{row.wallet}"


def _closing(rows: Sequence[Movement]) -> Decimal | None:
    """Return the newest running balance of rows that follow from each other as they are listed; None if not."""
    add, subtract = quantity.EXACT.add, quantity.EXACT.subtract
    balance, at = rows[0].balance_after, rows[0].at
    for row in rows[1:]:
        after = row.balance_after
        # The straight case is nearly all there is: nothing is built for it.
        if balance is None or after is None or row.at < at:
            return None
        if subtract(add(balance, row.amount), row.fee) != after:
            return None
        balance, at = after, row.at
    return balance


def _by_ledger(row: Balance, newest: Mapping[str, Decimal]) -> Decimal | None:
    """Return what the ledger says the balance is, or None where it does not say."""
    parts = [newest.get(name) for name in row.raw or (_place_name(row),)]
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
