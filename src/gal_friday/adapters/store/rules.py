"""The rules that every store keeps: what saving twice means, which id an abbreviated one means, who came first."""

from collections.abc import Mapping, Sequence

from gal_friday.domain.following import Carried
from gal_friday.ports.errors import SeveralMatch, StoreFailed

SHOWN = 5
"""How many of several matching ids a message lists."""


def check_same(reconciliation_id: str, kept: str, offered: str) -> None:
    """Raise StoreFailed where a report of this id is kept already and says something else."""
    if kept != offered:
        raise StoreFailed(
            f"report {reconciliation_id} is recorded already and says something else; the recorded one "
            f"stays: gal-friday report {reconciliation_id}"
        )


def check_first(carried: Carried, kept: Mapping[str, int]) -> None:
    """Raise StoreFailed where a discrepancy is not as it was read. *kept* holds the revisions that are recorded."""
    overtaken = [one.id for one in carried.written if kept.get(one.id, 0) != one.revision - 1]
    if overtaken:
        raise StoreFailed(
            f"another run has judged {_shown(overtaken)} since this one began, and came first; "
            f"run again once it has ended"
        )


def only_match(asked: str, matches: Sequence[str], *, of: str = "reports") -> str | None:
    """Return the id that is meant by *asked*: itself, or the only one that begins with it; None for none.

    Raises:
        SeveralMatch: several begin with it.
    """
    if asked in matches:
        return asked
    if len(matches) > 1:
        raise SeveralMatch(f"several {of} begin with {asked}: {_shown(matches)}; write more of the id")
    return matches[0] if matches else None


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(sorted(ids)[:SHOWN]) + (", …" if len(ids) > SHOWN else "")
