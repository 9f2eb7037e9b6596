"""``gal-friday compare`` on tables: millions of rows, sieved by an engine and judged as everything else is."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import msgspec

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bulk.day_over_day import DayOverDay, findings_in
from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.judge import Judged, Terms
from gal_friday.bulk.layout import Layout, layout_of, layouts_in
from gal_friday.bulk.lines import COLUMNS, REJECTED, Lines, line_of, lines_of
from gal_friday.bulk.postgres import Postgres, is_database, place_of
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of
from gal_friday.bulk.weighed import Found, Weighed
from gal_friday.cli.exit_status import DISCREPANCIES, INCOMPLETE, RECONCILED, worst
from gal_friday.cli.options import BadUsage
from gal_friday.cli.output import out, printable, write_json
from gal_friday.cli.table_options import Tables
from gal_friday.cli.table_page import Page
from gal_friday.cli.table_summary import summary
from gal_friday.domain.assets import Asset
from gal_friday.domain.materiality import Prices
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Policy
from gal_friday.domain.snapshot import Coverage, Side
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.reconcile_many import Outcome, reconcile_many

_KEPT = 1_000
"""Of rows that cannot be read."""


class _Told:
    """What is said of the accounts that do not agree, as they come."""

    def __init__(self, lines: Lines | None, refusals: Lines | None, turn: DayOverDay | None, *, whole: bool) -> None:
        self.lines, self.refusals, self.turn, self.whole = lines, refusals, turn, whole
        self.weighed = Weighed()
        self.found: list[Found] = []
        self.refused: list[Rejected] = []

    def refuse(self, one: Rejected) -> None:
        if self.refusals is not None:
            self.refusals.write([line_of(one)])
        if len(self.refused) < _KEPT:
            self.refused.append(one)

    def hear(self, one: Judged) -> None:
        self.weighed.hear(one)
        left = () if self.turn is None else self.turn.hear(one)
        if self.lines is not None:
            self.lines.write(lines_of(one, left))
        if self.whole:
            self.found += [Found(one.account, each) for each in one.discrepancies]


def compare_tables(
    internal: str, exchange: str, tables: Tables, policy: Policy, prices: Prices, names: Mapping[str, Asset], *,
    as_json: bool, exit_zero: bool,
) -> int:  # fmt: skip
    """Compare two tables, say what differs, and return the exit status.

    Raises:
        UnusableTable: a table cannot be read, or is laid out otherwise.
        EngineMissing: the engine is not installed.
    """
    if tables.sieve not in ("hash", "exact"):
        raise BadUsage(f"--sieve: {tables.sieve!r} is none; there are hash and exact")
    layouts = _layouts(tables)
    turn = None if tables.before is None else DayOverDay(findings_in(tables.before))
    drawn = None if tables.html is None else Page(tables.html, internal, exchange)
    clock = system_clock()
    terms = Terms(
        policy=policy,
        prices=prices,
        exchange=_exchange(tables.exchange),
        account=tables.account,
        as_of=clock.now(),
        coverage=_coverage(tables.partial),
        watched={} if turn is None else turn.watched,
    )
    began = clock.monotonic()
    with ExitStack() as stack:
        engine = stack.enter_context(_engine({"internal": internal, "exchange": exchange}, layouts, names, tables))
        lines = stack.enter_context(Lines(tables.findings, COLUMNS)) if tables.findings else None
        refusals = stack.enter_context(Lines(tables.rejected, REJECTED)) if tables.rejected else None
        told = _Told(lines, refusals, turn, whole=as_json)
        outcome = reconcile_many(engine, terms, told.hear, told.refuse)
    seconds = clock.monotonic() - began
    if drawn is not None:
        drawn.write(outcome, told.weighed, told.refused, turn, terms, seconds)
    if as_json:
        write_json(_document(outcome, told, policy))
    else:
        for line in summary(outcome, told.weighed, told.refused, turn, seconds, policy.reporting_currency):
            out().print(printable(line))
    return worst([_STATUS[outcome.verdict]], exit_zero=exit_zero)


def _layouts(tables: Tables) -> Mapping[Side, Layout]:
    if tables.columns is not None:
        return layouts_in(tables.columns)
    return dict.fromkeys(SIDES, layout_of(tables.key, tables.quantity, tables.price))


def _engine(
    places: Mapping[Side, str], layouts: Mapping[Side, Layout], names: Mapping[str, Asset], tables: Tables
) -> Duck | Postgres:
    if all(map(is_database, places.values())):
        return Postgres({side: place_of(one) for side, one in places.items()}, layouts, names=names)
    if any(map(is_database, places.values())):
        raise BadUsage("one side is a table in a database, and the other is not: give both, or export one to a file")
    return Duck(
        {side: source_of(one) for side, one in places.items()},
        layouts,
        names=names,
        exact=tables.sieve == "exact",
        limits=Limits(memory=tables.memory, spill=tables.spill),
    )


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


def _document(outcome: Outcome, told: _Told, policy: Policy) -> dict[str, Any]:
    document = msgspec.structs.asdict(outcome)
    document["control_totals"] = document.pop("totals")
    document["valued_in"] = policy.reporting_currency
    document["first_rejected"] = told.refused
    document["near"] = [{"internal": one, "exchange": other, "times": n} for (one, other), n in outcome.near.items()]
    document["discrepancies_found"] = document.pop("discrepancies")
    document["discrepancies"] = [{"account": account, **plain(one)} for account, one in told.found]
    if (turn := told.turn) is not None:
        for one in document["discrepancies"]:
            one["since_before"] = "opened" if turn.is_new(one["id"]) else "still_open"
        document["day_over_day"] = turn.shares
        document["cleared"] = [
            {**msgspec.structs.asdict(one.was), "key": str(one.was.key), "how": one.how} for one in turn.gone
        ]
    return document
