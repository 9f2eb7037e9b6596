"""``gal-friday policy``: what may be corrected without a person, and what other limits would have decided.

Nothing is changed and nothing is posted: a policy is changed in the configuration.
"""

import asyncio
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec import convert
from msgspec.structs import replace

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.problems import problems_in
from gal_friday.bootstrap.sense import nonsense_in
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import ModeName, Reconciliation, Settings, load
from gal_friday.cli.columns import padded, table, worth
from gal_friday.cli.exit_status import DISCREPANCIES, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.domain import quantity, words
from gal_friday.domain.decision import Choice
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.redecided import DECIDES, Otherwise, Redecided, redecided
from gal_friday.domain.report import ReconciliationReport

_DAYS_MAX = 36_500
_REPORTS_MAX = 10_000  # Newest; a report with everything that it holds is read into memory.
_SHOWN_MAX = 50

Days = Annotated[int, Parameter(help="How many days back.")]
Set = Annotated[
    list[str] | None,
    Parameter(
        name="--set", help="Another limit, as in [reconciliation]: proven_max_value=500. May be repeated.", negative=()
    ),
]
ModeWord = Annotated[
    ModeName | None, Parameter(name="--mode", help="Decide as in this mode; without it as each run did.")
]
Account = Annotated[str | None, Parameter(help="Runs of this account alone.")]


def show(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Show every limit in effect, and the id under which decisions name this policy."""
    settings = load(config)
    policy = settings.reconciliation.policy()
    if as_json:
        write_json({"version": policy.version, "mode": settings.reconciliation.mode(), "policy": plain(policy)})
        return RECONCILED
    out().print(f"{policy.version}, mode {settings.reconciliation.mode()} where an account does not say")
    fields = Policy.__struct_fields__
    for line in table((padded([f"  {name}" for name in fields]), [_text(getattr(policy, name)) for name in fields])):
        out().print(printable(line))
    return RECONCILED


def check(
    *,
    days: Days = 30,
    account: Account = None,
    changed: Set = None,
    mode: ModeWord = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Decide again what recorded runs decided, under other limits; exit 1 where something would be otherwise."""
    if not 0 < days <= _DAYS_MAX:
        raise BadUsage(f"--days goes from 1 to {_DAYS_MAX}")
    settings = load(config)
    policy = replaced(settings, changed or ()).policy()
    since = system_clock().now() - timedelta(days=days)
    # A day more: what was corrected then counts against the budget of the first.
    reports = asyncio.run(_reports(settings, account, days + 1))
    told = redecided(reports, policy, mode=Mode(mode) if mode else None, since=since)
    if as_json:
        counted = {"reports": told.reports, "decisions": told.decisions, "was": told.was, "would": told.would}
        write_json({"version": policy.version, "changes": told.changes, "count": len(told.changes), **counted})
    else:
        for line in _lines(told, settings.reconciliation.reporting_currency, out().width):
            out().print(printable(line))
    if len(reports) == _REPORTS_MAX:
        say(f"only the newest {_REPORTS_MAX} reports were decided again; name fewer --days")
    return DISCREPANCIES if told.changes else RECONCILED


def replaced(settings: Settings, changed: Sequence[str]) -> Reconciliation:
    """Return the settings of reconciliation with these changes (``name=value``) over them.

    Raises:
        BadUsage: no such limit, or a value that makes no sense.
    """
    tree = dict(_pair(text) for text in changed)
    problems = list(problems_in(Settings, {"reconciliation": dict(tree)}))
    if problems:
        raise BadUsage("--set: " + "; ".join(map(str, problems)))
    read = convert(tree, type=Reconciliation, strict=False)
    over = replace(settings.reconciliation, **{name: getattr(read, name) for name in tree})
    nonsense = list(nonsense_in(replace(settings, reconciliation=over)))
    if nonsense:
        raise BadUsage("--set: " + "; ".join(map(str, nonsense)))
    return over


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or name not in DECIDES:
        raise BadUsage(f"--set {text}: write NAME=VALUE; what decides about a repair is {', '.join(DECIDES)}")
    return name, value


async def _reports(settings: Settings, account: str | None, days: int) -> Sequence[ReconciliationReport]:
    since = system_clock().now() - timedelta(days=days)
    async with ReconciliationService(settings) as service:
        return await service.opened.store.reports(since=since, account=account, limit=_REPORTS_MAX)


def _lines(told: Redecided, currency: str, width: int) -> Iterator[str]:
    """Yield the counts, and what would have been decided otherwise, the oldest first."""
    of = f"{words.counted(told.decisions, 'decision', 'decisions')} of {words.counted(told.reports, 'run', 'runs')}"
    if not told.changes:
        yield f"NOTHING CHANGES: {of}, all decided the same"
        return
    yield f"{len(told.changes)} OF {of} would be decided otherwise"
    yield from _counts(told.was, told.would)
    yield ""
    for one in told.changes[:_SHOWN_MAX]:
        yield from _change(one, currency, width)
    if len(told.changes) > _SHOWN_MAX:
        yield f"… and {len(told.changes) - _SHOWN_MAX} more; --json lists them all"


def _counts(was: Mapping[Choice, int], would: Mapping[Choice, int]) -> list[str]:
    return table(
        (
            ["  ", *("  " for _ in Choice)],
            padded(["", *Choice]),
            [cell.rjust(6) for cell in ["was", *(str(was.get(one, 0)) for one in Choice)]],
            [cell.rjust(6) for cell in ["would", *(str(would.get(one, 0)) for one in Choice)]],
        )
    )


def _change(one: Otherwise, currency: str, width: int) -> Iterator[str]:
    value = f", {worth(one.value, currency)}" if one.value is not None else ""
    what = f"{one.was} → {one.would}  {one.cause.replace('_', ' ')} {one.event}{value}, {words.instant(one.timestamp)}"
    yield from _wrapped(what, width, "")
    yield from _wrapped(f"was: {'; '.join(one.was_because)}", width, " " * 4)
    yield from _wrapped(f"would: {'; '.join(one.would_because)}", width, " " * 4)


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _text(value: Any) -> str:
    """Return a limit as it is written in a configuration."""
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return quantity.text(value) if value else "0"
        case dict():
            return ", ".join(f"{name} = {_text(inner)}" for name, inner in sorted(value.items())) or "{}"
        case _:
            return str(value)
