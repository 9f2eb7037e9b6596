"""The rules that every keeper of adjustments keeps: which id is meant, what may be applied, who came first."""

from collections.abc import Iterable, Sequence

from gal_friday.domain.adjusted import APPLIED_ONCE, Kept, Outcome, names_of
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import IllegalStep, Overtaken
from gal_friday.ports.errors import SeveralMatch, StoreFailed

_SHOWN = 5


def unknown_adjustment(adjustment_id: str) -> StoreFailed:
    """Return the refusal to speak of an adjustment that was never kept."""
    return StoreFailed(f"no adjustment {adjustment_id}; gal-friday adjustments lists those there are")


def only_one(asked: str, matches: Sequence[str]) -> str | None:
    """Return the id that is meant: *asked* itself, or the only one that begins with it; None for none.

    Raises:
        SeveralMatch: several begin with it.
    """
    if asked in matches:
        return asked
    if len(matches) > 1:
        shown = ", ".join(sorted(matches)[:_SHOWN]) + (", …" if len(matches) > _SHOWN else "")
        raise SeveralMatch(f"several adjustments begin with {asked}: {shown}; write more of the id")
    return matches[0] if matches else None


def check_content(known: Kept, anew: Kept) -> None:
    """Raise StoreFailed where one id would stand for two contents."""
    if known.adjustment.content != anew.adjustment.content:
        raise StoreFailed(f"adjustment {known.id} is kept already and posts something else; the kept one stays")


def check_revision(known: Kept, revision: int | None) -> None:
    """Raise Overtaken where it was written since whoever decides has looked."""
    if revision is not None and revision != known.revision:
        raise Overtaken(f"adjustment {known.id} is {known.state} by now: look at it again, then decide")


def first_outcome(known: Kept) -> Outcome | None:
    """Return what applying it came to, where it was applied or refused before."""
    ended = known.state in APPLIED_ONCE or known.state is AdjustmentState.REFUSED
    return known.outcome if ended else None


def check_appliable(known: Kept) -> None:
    """Raise IllegalStep unless it was approved, or is about to be written."""
    if known.state not in (AdjustmentState.APPROVED, AdjustmentState.INTENDED):
        raise IllegalStep(f"adjustment {known.id} is {known.state}: only an approved one is applied")


def lost(account: str) -> Overtaken:
    """Return the refusal to write for whoever lost the account's lease."""
    return Overtaken(f"account {account} is run by somebody else now; nothing was written")


def is_chosen(kept: Kept, trading_pair: str | None) -> bool:
    """Say whether it is about this instrument or asset; any is where none is named."""
    return trading_pair is None or trading_pair in names_of(kept.adjustment)


def newest_first(some: Iterable[Kept]) -> list[Kept]:
    """Return them by the instant they were computed at, then by id."""
    return sorted(some, key=lambda one: (one.adjustment.at, one.id), reverse=True)
