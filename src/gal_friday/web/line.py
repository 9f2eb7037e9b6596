"""The line of a run, step by step: what went in, what came out, and when, as far as its report and the journal tell."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity, words
from gal_friday.domain.finding import Agrees, CannotTell, Pending
from gal_friday.domain.instants import instant
from gal_friday.domain.report import ReconciliationReport
from gal_friday.ports.journal_reading import StoredEntry

_PERCENT = Decimal(100)


class Step(Struct, frozen=True, kw_only=True):
    """One step."""

    name: str
    words: str
    took: str = ""
    """Empty where it was not measured."""
    at: datetime | None = None
    seq: int | None = None
    """The entry of the journal that tells of it."""


def steps_of(
    report: ReconciliationReport, recorded: StoredEntry | None, told: Iterable[StoredEntry]
) -> tuple[Step, ...]:
    """Return the ten steps in their order.

    *recorded* is the entry that the run ended with, *told* what followed it in the account until the next run ended.
    """
    some = (
        Step(name="fetch", words=_fetched(report), at=min(report.cut.internal, report.cut.exchange)),
        Step(name="cut", words=_cut(report), at=report.timestamp),
        Step(name="compare", words=_compared(report)),
        Step(name="gather", words=_gathered(report)),
        Step(name="explain", words=_explained(report)),
        Step(name="carry forward", words=_carried(report)),
        Step(name="decide", words=_decided(report)),
        Step(name="apply", words=_applied(report)),
        Step(name="record", words=_recorded(recorded), seq=None if recorded is None else recorded.seq),
        Step(name="tell", words=_told(told)),
    )
    return tuple(replace(one, took=_took(report, one.name)) for one in some)


_WITHIN = {"cut": "fetch", "apply": "decide"}
"""What is measured together with another step."""


def _took(report: ReconciliationReport, name: str) -> str:
    if name in _WITHIN and _WITHIN[name] in report.step_seconds:
        return f"with {_WITHIN[name]}"
    seconds = report.step_seconds.get(name)
    if seconds is None:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else words.seconds(seconds)


def _fetched(report: ReconciliationReport) -> str:
    book = _of(report, "internal") or f"version {report.internal_version or 'unknown'}"
    return f"the book, {book}; the exchange, {_of(report, 'exchange') or 'nothing'}"


def _of(report: ReconciliationReport, side: str) -> str:
    some = [one for one in report.evidence if one.side == side]
    if not some:
        return ""
    rows, pages = sum(one.rows for one in some), sum(one.pages for one in some)
    return f"{words.counted(rows, 'row', 'rows')} in {words.counted(pages, 'answer', 'answers')}"


def _cut(report: ReconciliationReport) -> str:
    cut = report.cut
    if cut.past is not None:
        return f"both sides wound back to {instant(cut.past)}"
    match cut.clean:
        case True:
            return "nothing moved between the first and the last read"
        case False:
            return "something moved while it was read"
        case None:
            return "whether something moved is not known"


def _compared(report: ReconciliationReport) -> str:
    agree = sum(isinstance(one, Agrees) for one in report.findings)
    pending = sum(isinstance(one, Pending) for one in report.findings)
    untold = sum(isinstance(one, CannotTell) for one in report.findings)
    parts = [f"{agree} agree", f"{len(report.findings) - agree - pending - untold} do not"]
    parts += [f"{pending} in motion"] * bool(pending) + [f"{untold} cannot be told"] * bool(untold)
    return f"{words.counted(len(report.findings), 'key', 'keys')}: {', '.join(parts)}"


def _gathered(report: ReconciliationReport) -> str:
    sources = sorted({source.source for source in report.price_sources.values()})
    said = words.counted(len(report.prices), "price", "prices")
    return f"{said} from {', '.join(sources)}" if sources else said


def _explained(report: ReconciliationReport) -> str:
    if not report.root_causes:
        return "nothing to explain"
    said = words.counted(len(report.root_causes), "cause", "causes")
    if report.explained_share is None:
        return said
    share = quantity.rounded(quantity.multiply(report.explained_share, _PERCENT), 2)
    return f"{said}; {quantity.text(share)} % of what balances and positions are off by"


def _carried(report: ReconciliationReport) -> str:
    new = sum(one.occurrences == 1 for one in report.discrepancies)
    confirmed = sum(one.state == "confirmed" for one in report.discrepancies)
    return f"{new} new, {len(report.discrepancies) - new} seen before; {confirmed} confirmed"


def _decided(report: ReconciliationReport) -> str:
    count = Counter(one.decision.choice.value for one in report.decisions)
    return ", ".join(f"{number} {choice}" for choice, number in sorted(count.items())) or "nothing to decide"


def _applied(report: ReconciliationReport) -> str:
    posted = {one.adjustment_id for one in report.auto_corrections}
    proposed = {one.adjustment_id for one in report.proposals}
    return f"{words.counted(len(posted), 'repair', 'repairs')} posted, {len(proposed)} proposed"


def _recorded(recorded: StoredEntry | None) -> str:
    return "its entry in the journal is missing" if recorded is None else "report and facts in one transaction"


def _told(told: Iterable[StoredEntry]) -> str:
    kinds = Counter(one.kind for one in told if one.kind.startswith("alert_"))
    return (
        ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(kinds.items())) or "nothing to tell"
    )
