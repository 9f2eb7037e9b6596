"""``gal-friday alerts``: what people are told of, taken on or silenced, and whether messages arrive.

Nothing is looked at anew here: the service does, and what was done here is heard of at its next look. The exit status
is 0 where what was asked for was done, and 4 where a channel did not take a test.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from gal_friday.bootstrap.alerts import channels_of, trial, watch_of
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.cli.columns import padded, table
from gal_friday.cli.exit_status import FAILED, RECONCILED
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import out, printable, say, write_json
from gal_friday.cli.review import until_in, who
from gal_friday.domain.alert import Alert, Phase
from gal_friday.domain.alert_mass import MASS_IDS
from gal_friday.domain.instants import exact_instant, instant
from gal_friday.domain.muting import FIELDS, Silence
from gal_friday.domain.muting import silence as silence_of
from gal_friday.flows import alert as flow
from gal_friday.ports.alerts import Delivery, DeliveryState
from gal_friday.ports.errors import SeveralMatch
from gal_friday.service.tell import tried

_T = TypeVar("_T")

_ABOUT_MANY = frozenset(MASS_IDS.values())
_OPEN_MAX = 100_000

Every = Annotated[
    bool, Parameter(name="--all", help="Those that are over too, and those that an alert about many accounts covers.")
]
Limit = Annotated[int, Parameter(help="At most so many, the newest.")]
Id = Annotated[str, Parameter(help="An alert's id, or its beginning.")]
SilenceId = Annotated[str, Parameter(help="A silence's id, or its beginning.")]
Channel = Annotated[str | None, Parameter(help="The channel to try; without it, all of them.")]
Who = Annotated[str | None, Parameter(name="--as", help="Who does. Without it: the user of this machine.")]
Everything = Annotated[bool, Parameter(name="--everything", help="Silence every alert there is.")]
Until = Annotated[
    str | None, Parameter(name="--until", help="An instant with its zone (2026-12-01T00:00Z), or 12h, 3d, 2w.")
]
Why = Annotated[str, Parameter(name="--why", help="Why; whoever misses an alert will ask.")]
State = Annotated[str | None, Parameter(name="--state", help=f"Only what is one of {', '.join(DeliveryState)}.")]


def listed(*, every: Every = False, limit: Limit = 100, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List what is told now, the newest first."""
    _check_limit(limit)
    read = limit if every else _OPEN_MAX
    found = _opened(config, lambda opened: opened.alerts.alerts(resolved=every, limit=read))
    if not every:
        found = [one for one in found if one.muted not in _ABOUT_MANY][:limit]
    if as_json:
        write_json({"alerts": [_alert_json(one) for one in found], "count": len(found)})
    elif found:
        _print(_alert_columns(found))
    else:
        say("nothing is told now")
    return RECONCILED


def ack(alert_id: Id, /, *, by: Who = None, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Take an alert on: it neither repeats nor escalates, unless it gets worse."""
    settings, actor = load(config), who(by)
    done = _opened(config, lambda opened: flow.acknowledge(watch_of(settings, opened, system_clock()), alert_id, actor))
    if as_json:
        write_json(_alert_json(done))
    else:
        out().print(printable(f"{done.id}: taken on by {actor.name}; {done.title}"))
    return RECONCILED


def sent(channel: Channel = None, /, *, by: Who = None, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Send a test through every channel, or one; nothing is recorded."""
    settings, clock, actor = load(config), system_clock(), who(by)

    async def each() -> dict[str, str]:
        every = channels_of(settings, clock)
        asked = [one for one in every if channel is None or one.name == channel]
        if not asked:
            raise BadUsage(f"there is no channel {channel!r}; there are: {', '.join(one.name for one in every)}")
        try:
            return await tried(asked, trial(clock.now(), actor))
        finally:
            for one in every:
                await one.close()

    results = asyncio.run(each())
    if as_json:
        write_json({"channels": [{"channel": name, "ok": not why, "reason": why} for name, why in results.items()]})
    else:
        _print([padded(list(results)), [printable(why or "took it") for why in results.values()]])
    return FAILED if any(results.values()) else RECONCILED


def silence(
    *matchers: Annotated[str, Parameter(help=f"What has to hold, as FIELD=VALUE; fields are {', '.join(FIELDS)}.")],
    until: Until = None,
    why: Why = "",
    everything: Everything = False,
    by: Who = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Tell nobody of alerts for which all of these hold, until an end; what still holds then is told."""
    if bool(matchers) == everything:
        raise BadUsage("name what is to be silenced, as account=main kind=run_failed; or --everything")
    ends = until_in(until)
    if ends is None:
        raise BadUsage("a silence needs an end: --until 12h")
    made = silence_of(matchers, begins=system_clock().now(), ends=ends, by=who(by), why=why)
    _opened(config, lambda opened: opened.alerts.silence(made))
    if as_json:
        write_json(_silence_json(made))
    else:
        out().print(printable(f"{made.id}: {_matched(made)} until {instant(made.ends)}"))
    return RECONCILED


def unsilence(silence_id: SilenceId, /, *, by: Who = None, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """End a silence now."""
    actor = who(by)
    done = _opened(config, lambda opened: opened.alerts.end_silence(silence_id, actor, system_clock().now()))
    if done is None:
        raise BadUsage(f"no silence {silence_id!r} is in force; `gal-friday alerts silences` lists them")
    if as_json:
        write_json(_silence_json(done))
    else:
        out().print(printable(f"{done.id}: ended"))
    return RECONCILED


def silences(*, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List the silences in force, the first to end first."""
    found = _opened(config, lambda opened: opened.alerts.silences(since=system_clock().now()))
    if as_json:
        write_json({"silences": [_silence_json(one) for one in found], "count": len(found)})
    elif found:
        columns = (
            ["silence", *(one.id for one in found)],
            ["what", *(_matched(one) for one in found)],
            ["until", *(instant(one.ends) for one in found)],
            ["by", *(one.by.name for one in found)],
            ["why", *(one.why for one in found)],
        )
        _print(columns)
    else:
        say("nothing is silenced")
    return RECONCILED


def outbox(*, state: State = None, limit: Limit = 100, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List what was told, what waits, and what no channel took, the newest first."""
    _check_limit(limit)
    if state is not None and state not in list(DeliveryState):
        raise BadUsage(f"--state: {state!r} is none; known are {', '.join(DeliveryState)}")
    states = () if state is None else (DeliveryState(state),)
    found = _opened(config, lambda opened: opened.alerts.outbox(states=states, limit=limit))
    if as_json:
        write_json({"deliveries": [_delivery_json(one) for one in found], "count": len(found)})
    elif found:
        columns = (
            ["at", *(instant(one.notice.at) for one in found)],
            ["channel", *(one.channel for one in found)],
            ["state", *(one.state.value for one in found)],
            ["attempts", *(str(one.attempts) for one in found)],
            ["what", *(f"{one.notice.what.value}: {one.notice.title}" for one in found)],
            ["reason", *(one.reason for one in found)],
        )
        _print(columns)
    else:
        say("the outbox is empty")
    return RECONCILED


def _alert_columns(found: Sequence[Alert]) -> Sequence[Sequence[str]]:
    return (
        ["alert", *(one.id for one in found)],
        ["since", *(instant(one.since) for one in found)],
        ["severity", *(one.severity.value for one in found)],
        ["where", *(one.account or one.exchange or "-" for one in found)],
        ["stands", *(_stands(one) for one in found)],
        ["what", *(one.title for one in found)],
    )


def _stands(one: Alert) -> str:
    if one.muted and one.is_open:
        return f"{one.phase.value}, untold ({one.muted})"
    if one.phase is Phase.ACKNOWLEDGED and one.acknowledged_by is not None:
        return f"taken on by {one.acknowledged_by.name}"
    return one.phase.value


def _alert_json(one: Alert) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "account": one.account,
        "exchange": one.exchange,
        "phase": one.phase.value,
        "severity": one.severity.value,
        "title": one.title,
        "lines": one.lines,
        "path": one.path,
        "since": exact_instant(one.since),
        "count": one.magnitude,
        "episode": one.episode,
        "muted": one.muted,
        "notices": one.notices,
        "channels": one.channels,
        "taken_on_by": one.acknowledged_by.name if one.acknowledged_by is not None else "",
    }


def _silence_json(one: Silence) -> dict[str, Any]:
    return {
        "id": one.id,
        "matchers": [f"{each.field}={each.value}" for each in one.matchers],
        "begins": exact_instant(one.begins),
        "ends": exact_instant(one.ends),
        "by": one.by.name,
        "why": one.why,
    }


def _delivery_json(one: Delivery) -> dict[str, Any]:
    return {
        "key": one.notice.key,
        "channel": one.channel,
        "state": one.state.value,
        "what": one.notice.what.value,
        "title": one.notice.title,
        "at": exact_instant(one.notice.at),
        "due": exact_instant(one.due),
        "attempts": one.attempts,
        "sent_at": exact_instant(one.sent_at) if one.sent_at is not None else None,
        "reason": one.reason,
    }


def _matched(one: Silence) -> str:
    return " ".join(f"{each.field}={each.value}" for each in one.matchers) or "everything"


def _print(columns: Sequence[Sequence[str]]) -> None:
    for line in table([padded(list(map(printable, cells))) for cells in columns]):
        out().print(line)


def _check_limit(limit: int) -> None:
    if limit <= 0:
        raise BadUsage("--limit goes from 1")


def _opened(config: ConfigFile, work: Callable[[OpenStore], Awaitable[_T]]) -> _T:
    async def worked() -> _T:
        async with ReconciliationService(load(config)) as service:
            return await work(service.opened)

    try:
        return asyncio.run(worked())
    except SeveralMatch as several:
        raise BadUsage(str(several)) from several
