"""What people are told where the running balances of Kraken's ledger do not follow from its rows (K2).

Per asset id as the exchange spells it. A break says that rows are missing between two others; it is never
repaired here, and where rows follow that is decided in ``domain/chain.py``.

Source: Kraken support, "Explanation of ledger fields".
"""

from collections.abc import Iterable, Iterator, Sequence

from gal_friday.domain.chain import Gap, gaps_of, name_of
from gal_friday.domain.quantity import short
from gal_friday.domain.records import Movement

_TOLD_MAX = 20


def breaks(movements: Sequence[Movement]) -> tuple[str, ...]:
    """Return one sentence for each break of the chain, oldest first, and only the number of those beyond twenty."""
    told = [*_silent(movements), *map(_sentence, gaps_of(movements))]
    if len(told) <= _TOLD_MAX:
        return tuple(told)
    return (*told[:_TOLD_MAX], f"and {len(told) - _TOLD_MAX} more breaks of the ledger chain")


def _silent(movements: Iterable[Movement]) -> Iterator[str]:
    """Return the first row of each asset that says nothing: Kraken states a balance in every row."""
    first: dict[str, str] = {}
    for row in movements:
        if row.balance_after is None:
            first.setdefault(name_of(row), row.movement_id)
    return (f"ledger of {asset}: row {row} has no running balance" for asset, row in first.items())


def _sentence(gap: Gap) -> str:
    return (
        f"ledger of {gap.name}: between {gap.after} and {gap.before} the balance moved by "
        f"{short(gap.amount)} without a row; run again, or look at these two rows at the exchange"
    )
