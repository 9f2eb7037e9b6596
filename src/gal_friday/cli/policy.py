"""``gal-friday policy``: what may be corrected without a person, and what other limits would have decided.

Nothing is changed and nothing is posted: a policy is changed in the configuration.
"""

import asyncio
import textwrap
from collections.abc import Iterator, Mapping
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.other_limits import other_policy
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import ModeName, Settings, load
from gal_friday.cli.columns import padded, table, worth
from gal_friday.cli.exit_status import DISCREPANCIES, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.domain import words
from gal_friday.domain.decision import Choice
from gal_friday.domain.instants import instant
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.policy_facts import limits_of
from gal_friday.domain.redecided import Otherwise, Redecided
from gal_friday.flows.redecide import DAYS_MAX, REPORTS_MAX, Answer, UnusableLimits, redecide

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
    limits = limits_of(policy)
    for line in table((padded([f"  {name}" for name in limits]), list(limits.values()))):
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
    if not 0 < days <= DAYS_MAX:
        raise BadUsage(f"--days goes from 1 to {DAYS_MAX}")
    settings = load(config)
    try:
        policy = other_policy(settings, changed or ())
    except UnusableLimits as error:
        raise BadUsage(f"--set: {error}") from None
    answer = asyncio.run(_answer(settings, policy, account, days, Mode(mode) if mode else None))
    told = answer.told
    if as_json:
        counted = {"reports": told.reports, "decisions": told.decisions, "was": told.was, "would": told.would}
        write_json({"version": answer.version, "changes": told.changes, "count": len(told.changes), **counted})
    else:
        for line in _lines(told, settings.reconciliation.reporting_currency, out().width):
            out().print(printable(line))
    if not answer.all_looked_at:
        say(f"only the newest {REPORTS_MAX} reports were decided again; name fewer --days")
    return DISCREPANCIES if told.changes else RECONCILED


async def _answer(settings: Settings, policy: Policy, account: str | None, days: int, mode: Mode | None) -> Answer:
    async with ReconciliationService(settings) as service:
        accounts = None if account is None else (account,)
        return await redecide(service.opened.pages, system_clock(), policy, accounts=accounts, days=days, mode=mode)


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
    what = f"{one.was} → {one.would}  {one.cause.replace('_', ' ')} {one.event}{value}, {instant(one.timestamp)}"
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
