"""``gal-friday review``: people decide about discrepancies, and what waits for them stands in a queue.

Who decides is who the operating system says, or who ``--as`` names; nobody verifies it, and it is recorded so. A
decision never settles a difference: only a run that sees both sides agree does. The exit status is 0 where what was
asked for was done.
"""

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.desk import desk_of, repairs_of
from gal_friday.bootstrap.service import ReconciliationService, owner
from gal_friday.bootstrap.settings import load
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.cli.adjusting import adjustment_json
from gal_friday.cli.deciding import decided_json, decided_lines
from gal_friday.cli.exit_status import FAILED, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.cli.proposed import proposed_in, proposed_lines
from gal_friday.cli.reviewing import done_line, queue_json, queue_lines, review_json
from gal_friday.cli.suspense import drained_at
from gal_friday.domain.adjusted import Applied, Kept, Refused, Unsettled
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.give_way import Drained
from gal_friday.domain.plain import plain
from gal_friday.domain.review import Action, Reason
from gal_friday.flows import decide
from gal_friday.flows.decide import Decided, Repairs
from gal_friday.flows.review import Desk, Looked, Waiting, act
from gal_friday.flows.review import queue as waiting
from gal_friday.ports.errors import SeveralMatch

_T = TypeVar("_T")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

Id = Annotated[str, Parameter(help="A discrepancy's id, or its beginning.")]
Which = Annotated[
    str, Parameter(help="An adjustment's id, or that of a discrepancy it repairs; the beginning is enough.")
]
Whom = Annotated[str | None, Parameter(help="Whom to give it to; without a name, to yourself.")]
Nobody = Annotated[bool, Parameter(name="--nobody", help="Take it from whoever has it.")]
Who = Annotated[
    str | None,
    Parameter(name="--as", help="Who decides. Without it: the user of this machine. Recorded as self-declared."),
]
Note = Annotated[str, Parameter(name="--note", help="What to remember about it.")]
Why = Annotated[str | None, Parameter(name="--reason", help=f"One of {', '.join(Reason)}.")]
Until = Annotated[
    str | None, Parameter(name="--until", help="An instant with its zone (2026-12-01T00:00Z), or 12h, 3d, 2w.")
]
Account = Annotated[str | None, Parameter(help="What waits in this account alone.")]
Limit = Annotated[int, Parameter(help="At most so many, the first due.")]


def queue(*, account: Account = None, limit: Limit = 100, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List what needs a person, the first due first."""
    if limit <= 0:
        raise BadUsage("--limit goes from 1")
    settings = load(config)
    every, proposed = _opened(config, lambda opened: _waiting(opened, account))
    shown, now = every[:limit], system_clock().now()
    if as_json:
        queued = [queue_json(each, now, proposed) for each in shown]
        proposals = [adjustment_json(one, plain(one.adjustment)) for one in proposed]
        write_json({"queue": queued, "count": len(shown), "proposals": proposals})
    elif shown or proposed:
        currency, width = settings.reconciliation.reporting_currency, out().width
        lines = queue_lines(shown, now=now, currency=currency, width=width) if shown else []
        told = list(proposed_lines(proposed, currency=currency, width=width, config=config))
        for line in (*lines, *([""] if lines and told else []), *told):
            out().print(line)
    else:
        say("nothing waits for a person")
    if len(every) > limit:
        say(f"these are the {limit} first due of {len(every)}; --limit shows more")
    return RECONCILED


def assign(
    discrepancy_id: Id,
    whom: Whom = None,
    /,
    *,
    nobody: Nobody = False,
    by: Who = None,
    note: Note = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Say who is to look at a discrepancy."""
    if nobody and whom:
        raise BadUsage(f"--nobody and {whom!r} at once; leave one of them out")
    actor = who(by)
    to = "" if nobody else whom or actor.name
    return _done(config, discrepancy_id, Action.ASSIGN, actor, as_json=as_json, assignee=to, note=note)


def comment(
    discrepancy_id: Id, /, *, note: Note = "", by: Who = None, config: ConfigFile = None, as_json: AsJson = False
) -> int:
    """Write a note on a discrepancy; nothing else changes."""
    return _done(config, discrepancy_id, Action.COMMENT, who(by), as_json=as_json, note=note)


def accept(
    discrepancy_id: Id,
    /,
    *,
    reason: Why = None,
    note: Note = "",
    until: Until = None,
    by: Who = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Live with a difference as it is, until an end; it stays open, and waits for nobody meanwhile."""
    said = {"reason": reason_in(reason), "note": note, "until": until_in(until)}
    return _done(config, discrepancy_id, Action.ACCEPT, who(by), as_json=as_json, **said)


def dispute(
    discrepancy_id: Id,
    /,
    *,
    reason: Why = None,
    note: Note = "",
    until: Until = None,
    by: Who = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Take a difference up with the exchange; --until says when its answer is due."""
    said = {"reason": reason_in(reason), "note": note, "until": until_in(until)}
    return _done(config, discrepancy_id, Action.DISPUTE, who(by), as_json=as_json, **said)


def snooze(
    discrepancy_id: Id,
    /,
    *,
    until: Until = None,
    note: Note = "",
    by: Who = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Put a discrepancy aside until an end, or until it gets worse."""
    return _done(config, discrepancy_id, Action.SNOOZE, who(by), as_json=as_json, until=until_in(until), note=note)


def reopen(
    discrepancy_id: Id, /, *, note: Note = "", by: Who = None, config: ConfigFile = None, as_json: AsJson = False
) -> int:
    """Take a decision back: it waits for a person again."""
    return _done(config, discrepancy_id, Action.REOPEN, who(by), as_json=as_json, note=note)


def propose(
    discrepancy_id: Id, /, *, note: Note = "", by: Who = None, config: ConfigFile = None, as_json: AsJson = False
) -> int:
    """Ask for the repair that the last run worked out; somebody has to approve it."""
    actor = who(by)
    return _decided(config, lambda repairs: decide.propose(repairs, discrepancy_id, actor, note=note), as_json=as_json)


def approve(
    named: Which, /, *, note: Note = "", by: Who = None, config: ConfigFile = None, as_json: AsJson = False
) -> int:
    """Approve a proposed adjustment, and post it to the book."""
    actor = who(by)
    return _decided(config, lambda repairs: decide.approve(repairs, named, actor, note=note), as_json=as_json)


def reject(
    named: Which,
    /,
    *,
    reason: Why = None,
    note: Note = "",
    by: Who = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Turn a proposed adjustment down."""
    actor, why = who(by), reason_in(reason)
    return _decided(
        config, lambda repairs: decide.reject(repairs, named, actor, reason=why, note=note), as_json=as_json
    )


def undo(
    named: Which, /, *, note: Note = "", by: Who = None, config: ConfigFile = None, as_json: AsJson = False
) -> int:
    """Propose what takes an applied adjustment back; it is approved like any other."""
    actor = who(by)
    return _decided(config, lambda repairs: decide.undo(repairs, named, actor, note=note), as_json=as_json)


def who(named: str | None) -> Actor:
    """Return who decides: the name that was given, else the user of this machine. Nobody verifies either.

    Raises:
        BadUsage: the operating system has no name for this user.
    """
    try:
        return Actor(getpass.getuser() if named is None else named, KnownBy.SELF_DECLARED)
    except (OSError, KeyError):
        raise BadUsage("this machine has no name for its user; say who decides: --as NAME") from None


def reason_in(text: str | None) -> Reason | None:
    """Return the reason that this word names; None for none.

    Raises:
        BadUsage: there is no such reason.
    """
    if text is None:
        return None
    try:
        return Reason(text.strip().lower().replace("-", "_"))
    except ValueError:
        raise BadUsage(f"--reason: {text!r} is none; known are {', '.join(Reason)}") from None


def until_in(text: str | None) -> datetime | None:
    """Return the instant that ``2026-12-01T00:00Z`` or ``3d`` (from now) names; None for none.

    Raises:
        BadUsage: it is neither, or has no zone.
    """
    if text is None:
        return None
    example = "write an instant with its zone, as 2026-12-01T00:00Z, or how long from now, as 12h, 3d or 2w"
    if span := re.fullmatch(r"\s*([0-9]{1,4})\s*([mhdw])\s*", text):
        return system_clock().now() + int(span[1]) * _UNITS[span[2]]
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadUsage(f"--until: {text!r} is no instant; {example}") from None
    if at.tzinfo is None:
        raise BadUsage(f"--until: {text!r} has no zone; {example}")
    return at


def _done(config: ConfigFile, discrepancy_id: str, action: Action, by: Actor, *, as_json: bool, **said: Any) -> int:
    done = _at_the_desk(config, lambda desk: act(desk, discrepancy_id, action, by, **said))
    _tell(done, as_json=as_json)
    return RECONCILED


def _tell(done: Looked, *, as_json: bool) -> None:
    if as_json:
        write_json(review_json(done))
    else:
        out().print(printable(done_line(done)))


def _decided(config: ConfigFile, work: Callable[[Repairs], Awaitable[Decided]], *, as_json: bool) -> int:
    settings = load(config)

    async def worked(opened: OpenStore) -> tuple[Decided, Sequence[Drained]]:
        done = await work(repairs_of(opened, settings, owner=owner()))
        match done.outcome:
            case Applied(version=int() as version, gave_way=plugs) if plugs:
                return done, await drained_at(opened, done.kept.adjustment.account, version)
            case _:
                return done, ()

    done, drained = _opened(config, worked)
    if as_json:
        write_json(decided_json(done, drained))
    else:
        for line in decided_lines(done, drained=drained, config=config):
            out().print(printable(line))
    return FAILED if isinstance(done.outcome, Refused | Unsettled) else RECONCILED


async def _waiting(opened: OpenStore, account: str | None) -> tuple[Sequence[Waiting], Sequence[Kept]]:
    """Return what needs a person, and every proposal: one that takes a repair back has no open discrepancy."""
    return await waiting(desk_of(opened), account=account), await proposed_in(opened.adjustments, account)


def _at_the_desk(config: ConfigFile, work: Callable[[Desk], Awaitable[_T]]) -> _T:
    return _opened(config, lambda opened: work(desk_of(opened)))


def _opened(config: ConfigFile, work: Callable[[OpenStore], Awaitable[_T]]) -> _T:
    async def worked() -> _T:
        async with ReconciliationService(load(config)) as service:
            return await work(service.opened)

    try:
        return asyncio.run(worked())
    except SeveralMatch as several:
        raise BadUsage(str(several)) from several
