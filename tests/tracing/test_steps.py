"""What a run, a call, a turn and a delivery do is seen step by step, and what is logged meanwhile names its trace."""

import asyncio
import io
import json
from datetime import timedelta

import pytest
from msgspec.structs import replace
from opentelemetry.trace import StatusCode

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.dispatch.queue import QueueDispatcher, opened, work
from gal_friday.adapters.schedule import MemorySchedules
from gal_friday.bootstrap.alerts import trial
from gal_friday.bootstrap.api import app_of
from gal_friday.bootstrap.logs import logging_to
from gal_friday.bootstrap.tracing import stepping
from gal_friday.domain.access import Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.policy import Mode
from gal_friday.domain.schedule import Planned
from gal_friday.ports.alerts import Undelivered
from gal_friday.service.turns import Turns
from tests.api.world import KINDS, LIMITS, PATIENT, World
from tests.flows.alert_worlds import Heard
from tests.postgres.databases import Databases
from tests.tracing.seen import id_of, said, seen, trace_of


async def test_a_run_is_seen_from_reading_to_recording(here: World) -> None:
    watched = seen()
    here.service.steps = watched.steps
    report = await here.service.run_reconciliation("main", mode=Mode.ENFORCE, only=KINDS)
    run = watched.one("run")
    assert said(run)["reconciliation_id"] == report.reconciliation_id
    assert {trace_of(span) for span in watched.kept.get_finished_spans()} == {trace_of(run)}
    read = {(said(one)["side"], said(one).get("kind")) for one in watched.all("fetch")}
    assert read == {("internal", None), *(("exchange", kind.value) for kind in KINDS)}
    above = {name: watched.above(watched.all(name)[0]) for name in ("fetch", "compare", "explain", "record")}
    assert above == dict.fromkeys(above, "run")
    assert watched.above(watched.one("decide")) == watched.above(watched.all("apply")[0]) == "record"
    assert said(watched.all("apply")[0])["outcome"] == "Applied"


async def test_a_call_is_seen_under_the_name_of_its_route_and_no_id(here: World) -> None:
    watched = seen()
    here.service.steps = watched.steps
    app = app_of(here.service, here.mint.access, limits=LIMITS, throttle=PATIENT)
    stranger_of = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with replace(here, app=app).client(await here.token(Role.VIEWER)) as client:
        await client.get("/api/discrepancies/dis_nothing", headers={"traceparent": stranger_of})
    call = watched.one("call")
    assert said(call) == {"method": "GET", "status": 404, "route": "/api/discrepancies/{discrepancy_id}"}
    assert call.parent is None


async def test_what_is_logged_of_a_run_names_its_trace() -> None:
    watched, clock, out = seen(), SystemClock(), io.StringIO()
    schedules = MemorySchedules()
    schedules._planned["main"] = Planned(account="main", due=clock.now() - timedelta(minutes=1))

    async def busy(_account: str) -> object:
        raise Undelivered("nobody is there")

    turns = Turns(schedules, busy, dict, clock, owner="p", steps=watched.steps)  # type: ignore[arg-type]
    with logging_to(out):
        assert await turns.take("main", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") is None
    (line,) = [json.loads(one) for one in out.getvalue().splitlines()]
    assert line["event"] == "run_skipped"
    assert line["trace_id"] == trace_of(watched.one("turn")) == "0af7651916cd43dd8448eb211c80319c"


async def test_a_delivery_that_fails_is_seen_to_fail_without_its_words() -> None:
    watched, ops = seen(), Heard()
    ops.refuses = 1
    (channel,) = stepping([ops], watched.steps)
    notice = trial(SystemClock().now(), Actor("me", KnownBy.SELF_DECLARED))
    with pytest.raises(Undelivered):
        await channel.send(notice)
    await channel.send(notice)
    failed, sent = watched.all("deliver")
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "Undelivered")
    assert (failed.events, sent.status.status_code) == ((), StatusCode.UNSET)
    assert said(sent)["channel"] == "ops"


@pytest.mark.postgres
@pytest.mark.parametrize("is_watched", [True, False])
async def test_a_turn_belongs_to_the_dispatch_that_handed_it_over(databases: Databases, is_watched: bool) -> None:
    watched, clock, taken = seen(), SystemClock(), asyncio.get_running_loop().create_future()

    async def take(account: str, of: str) -> None:
        with watched.steps("turn", of=of, account=account):
            taken.set_result(of)

    async with databases.fresh() as address, opened(address) as app:
        queue = QueueDispatcher(app, clock, steps=watched.steps) if is_watched else QueueDispatcher(app, clock)
        await queue.dispatch("main")
        working = asyncio.create_task(work(app, take, clock, at_once=1, gone_seconds=60, drain_seconds=1))
        of = await asyncio.wait_for(taken, 20)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    turn = watched.one("turn")
    if not is_watched:
        assert (of, turn.parent) == ("", None)
        return
    dispatched = watched.one("dispatch")
    assert turn.parent is not None
    assert (turn.parent.span_id, trace_of(turn)) == (id_of(dispatched), trace_of(dispatched))
