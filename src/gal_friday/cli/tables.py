"""``gal-friday compare`` on tables: millions of rows, sieved by an engine and judged as everything else is."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bulk.day_over_day import DayOverDay, findings_in
from gal_friday.bulk.forms import FORMS
from gal_friday.bulk.judge import Judged, Terms
from gal_friday.bulk.layout import Layouts, layout_of, layouts_in, refuse_half
from gal_friday.bulk.lines import COLUMNS, REJECTED, Lines, line_of, lines_of
from gal_friday.bulk.locate import Balances, Locator, Records
from gal_friday.bulk.postgres import is_database
from gal_friday.bulk.processes import Elsewhere, Portion
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of, written_at
from gal_friday.bulk.weighed import Found, Weighed
from gal_friday.cli.exit_status import DISCREPANCIES, INCOMPLETE, RECONCILED, worst
from gal_friday.cli.meter import Meter
from gal_friday.cli.options import BadUsage
from gal_friday.cli.output import out, printable, write_json
from gal_friday.cli.table_engine import Chosen, engine_for
from gal_friday.cli.table_options import ONE_ACCOUNT, Tables, shown
from gal_friday.cli.table_outputs import check_outputs
from gal_friday.cli.table_page import Page
from gal_friday.cli.table_summary import failures, recorded_lines, summary
from gal_friday.domain.assets import Asset
from gal_friday.domain.finding import Key
from gal_friday.domain.materiality import Prices
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Side
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.reconcile_many import Outcome, reconcile_many

if TYPE_CHECKING:
    from gal_friday.cli.table_store import Recording
    from gal_friday.flows.record_many import Recorded

_KEPT = 1_000
"""Of rows that cannot be read."""
_LOCATED = 10_000
"""Of so many of them the lines are looked up."""


class _Told:
    """What is said of the accounts that do not agree, as they come."""

    def __init__(self, turn: DayOverDay | None, recording: "Recording | None", *, whole: bool) -> None:
        self.turn, self.recording, self.whole = turn, recording, whole
        self.lines: Lines | None = None
        self.refusals: Lines | None = None
        self.locator: Locator | None = None
        self._waiting: list[Rejected] = []
        self.weighed = Weighed()
        self.found: list[Found] = []
        self.refused: list[Rejected] = []

    def watched(self, exchange: str, kinds: Collection[Kind]) -> Mapping[str, frozenset[Key]]:
        """Return the keys of these kinds that have to be judged whatever the tables say, by account."""
        before = {} if self.turn is None else self.turn.watched
        known = {} if self.recording is None else self.recording.watched(exchange, kinds)
        accounts, nothing = before.keys() | known.keys(), frozenset[Key]()
        return {account: before.get(account, nothing) | known.get(account, nothing) for account in accounts}

    def refuse(self, one: Rejected) -> None:
        self._waiting.append(one)
        if len(self._waiting) == _LOCATED:
            self.locate()

    def locate(self) -> None:
        """Look up on which lines those are that were refused until now; the first time alone, for it takes a look."""
        located = self._waiting if self.locator is None else self.locator.located(self._waiting)
        self.locator, self._waiting = None, []
        located = sorted(located, key=_place_of)
        if self.refusals is not None:
            self.refusals.write(map(line_of, located))
        self.refused += located[: _KEPT - len(self.refused)]

    def hear(self, one: Judged) -> None:
        self.weighed.hear(one)
        left = () if self.turn is None else self.turn.hear(one)
        if self.lines is not None:
            self.lines.write(lines_of(one, left))
        if self.recording is not None:
            self.recording.hear(one)
        if self.whole:
            self.found += [Found(one.account, each) for each in one.discrepancies]

    def elsewhere(self, jobs: int | None) -> Elsewhere | None:
        """Return how accounts are judged in so many processes; None where each of them has to be heard of here."""
        if self.whole or self.turn is not None or self.recording is not None:
            return None
        form = None if self.lines is None else self.lines.form
        return Elsewhere(jobs or os.cpu_count() or 1, form, self._take)

    def _take(self, portion: Portion) -> None:
        self.weighed.join(portion.weighed)
        if self.lines is not None:
            self.lines.append(portion.text)


def _place_of(one: Rejected) -> tuple[int, Kind, str, int]:
    """Return by what rows that cannot be read are put in order: as whoever mends their files meets them."""
    return SIDES.index(one.side), one.kind, one.file, one.line or 0


def compare_tables(
    internal: str, exchange: str, tables: Tables, policy: Policy, prices: Prices, names: Mapping[str, Asset], *,
    config: Path | None, as_json: bool, exit_zero: bool,
) -> int:  # fmt: skip
    """Compare two tables, say what differs, and return the exit status.

    Raises:
        UnusableTable: a table cannot be read, or is laid out otherwise.
        EngineMissing: the engine is not installed.
        StoreFailed: what is open cannot be read from the store.
    """
    if tables.sieve not in ("hash", "exact"):
        raise BadUsage(f"--sieve: {tables.sieve!r} is none; there are hash and exact")
    if tables.jobs is not None and tables.jobs < 1:
        raise BadUsage(f"--jobs: {tables.jobs} processes judge nothing; write 1 or more")
    places: dict[Side, str] = {"internal": internal, "exchange": exchange}
    turn = None if tables.before is None else DayOverDay(findings_in(tables.before))
    drawn = None if tables.html is None else Page(tables.html, places)
    check_outputs(places, tables)
    terms = _terms(places, tables, policy, prices)
    clock = system_clock()
    began, meter = clock.monotonic(), Meter(anywhere=tables.progress)
    with ExitStack() as stack:
        stack.callback(meter.clear)
        recording = None if tables.store is None else stack.enter_context(_recording(tables.store, config))
        told = _Told(turn, recording, whole=as_json)
        terms = replace(terms, watched=told.watched(terms.exchange, terms.kinds), with_sides=recording is not None)
        outcome = _compared(places, tables, names, terms, told, meter)
        recorded = None if recording is None else recording.record(terms, map(shown, places.values()), meter)
    seconds = clock.monotonic() - began
    if drawn is not None:
        drawn.write(outcome, told.weighed, told.refused, turn, terms, seconds)
    if as_json:
        write_json(_document(outcome, told, policy, recorded))
    else:
        lines = summary(outcome, told.weighed, told.refused, turn, seconds, policy.reporting_currency)
        for line in (*lines, *recorded_lines(recorded)):
            out().print(printable(line))
    return worst([_STATUS[outcome.verdict], *failures(recorded)], exit_zero=exit_zero)


def _recording(where: str, config: Path | None) -> "Recording":
    from gal_friday.cli.table_store import Recording  # whoever records nothing need not wait for it

    return Recording(where, config)


def _terms(places: Mapping[Side, str], tables: Tables, policy: Policy, prices: Prices) -> Terms:
    coverage = _coverage(tables.partial)
    return Terms(
        policy=policy,
        prices=prices,
        exchange=_exchange(tables.exchange),
        account=tables.account or ONE_ACCOUNT,
        as_of=_as_of(tables.as_of, places),
        coverage=coverage,
        records={side: {FORMS[name].kind: covered for name in tables.records} for side, covered in coverage.items()},
    )


def _compared(
    places: Mapping[Side, str], tables: Tables, names: Mapping[str, Asset], terms: Terms, told: _Told, meter: Meter,
) -> Outcome:  # fmt: skip
    with ExitStack() as stack:
        engine = engine_for(places, _layouts(tables), names, tables, terms.as_of)
        stack.enter_context(engine)
        if tables.account is None:
            refuse_half(engine.layouts, {side: shown(one) for side, one in places.items()})
        told.lines = stack.enter_context(Lines(tables.findings, COLUMNS)) if tables.findings else None
        told.refusals = stack.enter_context(Lines(tables.rejected, REJECTED)) if tables.rejected else None
        told.locator = Locator(dict(_files(places, tables, engine, terms)))
        elsewhere = told.elsewhere(tables.jobs)
        outcome = reconcile_many(
            engine, terms, told.hear, told.refuse, meter, digests=tables.digests, elsewhere=elsewhere
        )
        told.locate()
        return outcome


def _files(
    places: Mapping[Side, str], tables: Tables, engine: Chosen, terms: Terms
) -> Iterator[tuple[tuple[Side, Kind], Balances | Records]]:
    """Yield the tables that are files, in which the lines of rows can be looked up."""
    layouts = _layouts(tables)
    for side, place in places.items():
        names, layout = engine.names_of(side), engine.layouts[side]
        if not is_database(place):
            yield (side, Kind.BALANCES), Balances(source_of(place), layout, names, terms.account)
        for name, pair in tables.records.items():
            records = pair[list(places).index(side)]
            if not is_database(records):
                own = layouts.of_records(side, name).beside(layout)
                yield (side, FORMS[name].kind), Records(source_of(records), own, names, FORMS[name])


def _as_of(text: str | None, places: Mapping[Side, str]) -> datetime:
    """Return when both sides were as they say: that is part of what is recorded of them."""
    now = system_clock().now()
    if text is None:
        files = () if any(map(is_database, places.values())) else map(source_of, places.values())
        written = [written_at(one) for one in files]
        return min(now, max((at for at in written if at is not None), default=now))
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = now.replace(tzinfo=None)
    if at.tzinfo is None or at > now:
        raise BadUsage(f"--as-of: {text!r} is no instant of the past with its zone; write 2026-03-01T00:00Z")
    return at.astimezone(UTC)


def _layouts(tables: Tables) -> Layouts:
    if tables.columns is not None:
        return layouts_in(tables.columns, tables.account)
    return Layouts(dict.fromkeys(SIDES, layout_of(tables.key, tables.quantity, tables.price, tables.account)))


_STATUS = {
    Verdict.RECONCILED: RECONCILED,
    Verdict.DISCREPANCIES: DISCREPANCIES,
    Verdict.INCOMPLETE: INCOMPLETE,
    Verdict.PENDING: INCOMPLETE,
}


def _exchange(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise BadUsage(f"--exchange: {name!r} is no name; write it as the configuration does, such as kraken")
    return name.strip()


def _coverage(partial: str | None) -> Mapping[Side, Coverage]:
    words = {word.strip() for word in (partial or "").split(",") if word.strip()}
    if unknown := sorted(words - set(SIDES)):
        raise BadUsage(f"--partial: {', '.join(unknown)} is no side; write internal, exchange or internal,exchange")
    return {side: Coverage.PARTIAL if side in words else Coverage.TOTAL for side in SIDES}


def _document(outcome: Outcome, told: _Told, policy: Policy, recorded: "Recorded | None") -> dict[str, Any]:
    document = msgspec.structs.asdict(outcome)
    document["control_totals"] = document.pop("totals")
    document["valued_in"] = policy.reporting_currency
    document["first_rejected"] = told.refused
    document["near"] = [{"internal": one, "exchange": other, "times": n} for (one, other), n in outcome.near.items()]
    document["by_cause"] = told.weighed.by_cause
    document["discrepancies_found"] = document.pop("discrepancies")
    document["discrepancies"] = [{"account": account, **plain(one)} for account, one in told.found]
    if recorded is not None:
        document["recorded"] = recorded
    if (turn := told.turn) is not None:
        for one in document["discrepancies"]:
            one["since_before"] = "opened" if turn.is_new(one["id"]) else "still_open"
        document["day_over_day"] = turn.shares
        document["cleared"] = [
            {**msgspec.structs.asdict(one.was), "key": str(one.was.key), "how": one.how} for one in turn.gone
        ]
    return document
