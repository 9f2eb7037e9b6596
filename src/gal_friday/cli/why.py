"""The causes of a report in a few lines: what went wrong, worth what, the most valuable first."""

import textwrap
from collections.abc import Iterator
from decimal import Decimal

from gal_friday.cli.columns import worth
from gal_friday.cli.output import printable
from gal_friday.domain import quantity, words
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.root import RootCause

CAUSES_MAX = 15


def causes_of(report: ReconciliationReport, width: int) -> Iterator[str]:
    """Yield a heading and one entry per cause, none wider than *width*; nothing where nothing differs."""
    if not report.root_causes:
        return
    count = words.counted(len(report.root_causes), "cause", "causes")
    yield "\n".join(textwrap.wrap(f"{count}{_explained(report.explained_share)}", width))
    for root in report.root_causes[:CAUSES_MAX]:
        yield from _entry(root, report.valued_in, width)
    if len(report.root_causes) > CAUSES_MAX:
        yield f"  … and {len(report.root_causes) - CAUSES_MAX} more; --json lists them all"


def _explained(share: Decimal | None) -> str:
    if share is None:
        return ""
    percent = quantity.short(quantity.multiply(share, Decimal(100)))
    return f"; {percent} % of what balances and positions are off by is explained"


def _entry(root: RootCause, currency: str, width: int) -> Iterator[str]:
    what = f"{root.cause.replace('_', ' ')}: {root.note}"
    yield from textwrap.wrap(
        printable(what),
        width,
        initial_indent=f"  {worth(root.value, currency):>18}  ",
        subsequent_indent=" " * 22,
        break_long_words=False,
        break_on_hyphens=False,
    )
