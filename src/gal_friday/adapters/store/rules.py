"""The rules that every store keeps: what saving twice means, and which report an abbreviated id means."""

from collections.abc import Sequence

from gal_friday.ports.errors import StoreFailed

SHOWN = 5
"""How many of several matching ids a message lists."""


def check_same(reconciliation_id: str, kept: str, offered: str) -> None:
    """Raise StoreFailed where a report of this id is kept already and says something else."""
    if kept != offered:
        raise StoreFailed(
            f"report {reconciliation_id} is recorded already and says something else; the recorded one "
            f"stays: gal-friday report {reconciliation_id}"
        )


def only_match(asked: str, matches: Sequence[str]) -> str | None:
    """Return the id that is meant by *asked*: itself, or the only one that begins with it; None for none.

    Raises:
        StoreFailed: several begin with it.
    """
    if asked in matches:
        return asked
    if len(matches) > 1:
        shown = ", ".join(sorted(matches)[:SHOWN]) + (", …" if len(matches) > SHOWN else "")
        raise StoreFailed(f"several reports begin with {asked}: {shown}; write more of the id")
    return matches[0] if matches else None
