"""What two tables came to, as lines for a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gal_friday.bulk.day_over_day import DayOverDay
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.weighed import Found, Weighed
from gal_friday.cli.columns import aligned, padded, signed, table, worth
from gal_friday.cli.exit_status import FAILED
from gal_friday.cli.output import complain
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy
from gal_friday.domain.words import counted
from gal_friday.flows.reconcile_many import Outcome

if TYPE_CHECKING:
    from gal_friday.flows.record_many import Recorded

_SHOWN = 20


def summary(
    outcome: Outcome, weighed: Weighed, refused: Sequence[Rejected], turn: DayOverDay | None, seconds: float,
    currency: str,
) -> Iterator[str]:  # fmt: skip
    """Yield the lines; *refused* are the first of the rows that cannot be read."""
    rows = " and ".join(f"{counted(outcome.rows[side], 'row', 'rows')} of the {side} side" for side in SIDES)
    balances, accounts = counted(outcome.keys, "balance", "balances"), counted(outcome.accounts, "account", "accounts")
    yield f"{outcome.verdict.upper()}: {balances} in {accounts}"
    of_records = sum(count.discrepancies for count in outcome.records.values())
    yield f"{outcome.agreed:,} agree, {outcome.discrepancies - of_records:,} differ"
    for kind, count in outcome.records.items():
        yield f"{kind}: {count.agreed:,} agree, {count.discrepancies:,} differ"
    yield f"{rows} were read{_records_read(outcome)}, in {seconds:.1f} s by {outcome.engine}"
    if outcome.moved is not None:
        yield f"{outcome.moved:,} of them had to leave their place"
    yield from (f"not checked: {reason}" for reason in outcome.not_checked)
    if outcome.rejected:
        yield from ("", f"{counted(outcome.rejected, 'row', 'rows')} could not be read:")
        yield from map(_rejected, refused[:_SHOWN])
        if (more := outcome.rejected - _SHOWN) > 0:
            yield f"  and {more:,} more; --rejected FILE writes all of them"
    for (one, other), times in outcome.near.most_common(_SHOWN):
        often = counted(times, "time", "times")
        yield f"{one!r} of the book may be {other!r} ({often}): [aliases.assets] says what is one asset"
    if turn is not None:
        yield from ("", "since the day before:", *_turned(turn, currency))
    if outcome.discrepancies:
        yield from ("", *(f"{count:>12,}  {what}" for what, count in outcome.by_severity.most_common()))
        yield from _causes(weighed, currency)
        yield from ("", *_largest(weighed.largest()[:_SHOWN], turn, currency))
        if (more := outcome.discrepancies - _SHOWN) > 0:
            yield f"and {more:,} more; --findings FILE writes all of them"


def _records_read(outcome: Outcome) -> str:
    return "".join(
        f", {count.rows['internal']:,} and {count.rows['exchange']:,} of {kind}"
        for kind, count in outcome.records.items()
    )


def _causes(weighed: Weighed, currency: str) -> Iterator[str]:
    if not weighed.by_cause:
        return
    causes = list(weighed.causes())
    yield from ("", "why:")
    yield from table(
        [
            [f"{share.count:>12,}" for _, share in causes],
            padded([cause.replace("_", " ") for cause, _ in causes]),
            _right([worth(share.value, currency) if share.value else "" for _, share in causes]),
        ]
    )


def recorded_lines(recorded: "Recorded | None") -> Iterator[str]:
    """Yield what was recorded, for people."""
    if recorded is None:
        return
    groups = ("opened", "still_open", "confirmed", "reopened", "cleared")
    counts = [f"{count:,} {name.replace('_', ' ')}" for name in groups if (count := getattr(recorded, name))]
    before = f", {recorded.already:,} before" if recorded.already else ""
    yield ""
    yield f"accounts recorded: {recorded.accounts:,}{before}"
    if counts:
        yield f"of their discrepancies {', '.join(counts)}"


def failures(recorded: "Recorded | None") -> Iterator[int]:
    """Say what could not be recorded, and yield its exit status."""
    if recorded is not None and recorded.failed:
        for said in recorded.failed[:_SHOWN]:
            complain(said)
        complain(f"accounts that were not recorded: {len(recorded.failed):,}; compare again, which records these alone")
        yield FAILED


def _rejected(one: Rejected) -> str:
    place = f"line {one.line}: " if one.line is not None else ""
    return f"  {one.side}: {place}{one.reason}: {one.content}"


def _right(cells: list[str]) -> list[str]:
    width = max(map(len, cells), default=0)
    return [cell.rjust(width) for cell in cells]


def _what(one: Discrepancy) -> str:
    if isinstance(one, BalanceDiscrepancy) and one.missing_on:
        return f"missing on the {one.missing_on} side"
    return one.type.replace("_", " ")


def _turned(turn: DayOverDay, currency: str) -> Iterator[str]:
    for name, share in turn.shares.items():
        if share.count:
            worthy = "" if share.unpriced == share.count else f"  {worth(share.value, currency)}"
            yield f"{share.count:>12,}  {name.replace('_', ' ')}{worthy}"


def _largest(found: list[Found], turn: DayOverDay | None, currency: str) -> list[str]:
    return table(
        [
            padded([account for account, _ in found]),
            padded([" ".join(one.key.split(":")[1:]) for _, one in found]),
            padded([_what(one) for _, one in found]),
            aligned([signed(one.difference) for _, one in found]),
            _right([worth(one.value, currency) for _, one in found]),
            padded([one.severity for _, one in found]),
            ["opened" if turn is not None and turn.is_new(one.id) else "" for _, one in found],
        ]
    )
