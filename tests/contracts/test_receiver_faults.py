"""Whatever goes wrong between us and a book over HTTP: nothing is posted twice or guessed, and no token is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text

from gal_friday.adapters.book_http import Deadlines, HttpReceiver, MemoryReceiver, UnusableAddress
from gal_friday.adapters.sql.schema import METADATA
from gal_friday.domain.adjusted import Applied, Refused, Unsettled
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import GalFridayError, IllegalStep
from gal_friday.domain.handover import ANSWER, Absent, NoAnswer, NotSent, Sighting, Took, TurnedDown, handover_of
from gal_friday.ports.errors import BookFailed
from tests.contracts.adjusting import POLICY
from tests.contracts.handing import MADE, SHORT, Elsewhere, elsewhere
from tests.contracts.receiving import TOKEN, Fault, receiving
from tests.contracts.test_receiver_contract import OTHER

NAME = MADE.adjustment_id


def told(name: str = NAME, outcome: str = "applied", **more: Any) -> bytes:
    return json.dumps({"format": ANSWER, "adjustment_id": name, "outcome": outcome, **more}).encode()


LOST = {
    "no answer in time, and not posted": Fault(posts=False, ending="never"),
    "no answer in time, and posted": Fault(ending="never"),
    "reset in the middle, and posted": Fault(ending="reset"),
    "half an answer, and posted": Fault(ending="cut"),
    "an answer that drips in, and posted": Fault(ending="drip"),
    "500, and posted": Fault(status=500),
    "500 with another body, and posted": Fault(status=500, body=b"<html>oops</html>"),
    "503, and not posted": Fault(posts=False, status=503),
    "429, and not posted": Fault(posts=False, status=429, body=b"slow down"),
    "garbage, and posted": Fault(body=b"\x00\xff{{{"),
    "empty, and posted": Fault(body=b""),
    "deeply nested garbage, and not posted": Fault(posts=False, status=200, body=b"[" * 60_000),
    "an answer for another key, and not posted": Fault(posts=False, status=200, body=told("adj_ffffffffffffffff")),
    "another format, and not posted": Fault(posts=False, status=200, body=told().replace(b"answer/1", b"answer/2")),
    "an outcome of the future, and not posted": Fault(posts=False, status=200, body=told(outcome="posted-ish")),
    "refused by status alone, and not posted": Fault(posts=False, status=422, body=b'{"title": "no"}'),
    "refused for another key, and posted": Fault(status=422, body=told("adj_ffffffffffffffff", "refused")),
    "absent, and posted": Fault(status=200, body=told(outcome="absent")),
    "an answer that is too large, and posted": Fault(body=told(reason="x" * 100_000)),
    "a redirect elsewhere, and not posted": Fault(
        posts=False, status=307, body=b"", headers=(("Location", "http://127.0.0.1:9/steal"),)
    ),
}
DEAF = Fault(posts=False, status=503)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Elsewhere]:
    async with elsewhere("http", tmp_path, None, deadlines=SHORT) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_token_is_ever_told(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(0)
    yield
    assert TOKEN not in caplog.text


async def everything_kept(there: Elsewhere) -> str:
    return "".join([repr(await there.rows(table.select())) for table in METADATA.sorted_tables])


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
async def test_what_is_not_answered_is_of_unknown_outcome_and_stops_the_account(there: Elsewhere, fault: Fault) -> None:
    assert there.server is not None
    there.server.faults = [fault, DEAF]
    outcome = await there.apply()
    assert isinstance(outcome, Unsettled), outcome
    assert await there.states() == ["approved", "intended", "outcome_unknown"]
    with pytest.raises(IllegalStep, match=f"nobody knows yet whether adjustment {NAME} was posted"):
        await there.apply(OTHER)
    assert [asked.method for asked in there.server.asked] == ["POST", "GET"]
    assert TOKEN not in await everything_kept(there)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
async def test_asked_again_under_the_same_key_the_book_tells_what_became_of_it(there: Elsewhere, fault: Fault) -> None:
    assert there.server is not None
    there.server.faults = [fault, DEAF]
    await there.apply()
    posted = bool(there.book.taken)
    await there.lease(9)
    await there.adjustments.settle("main", token=9, seen={NAME: Sighting.UNCHANGED})
    assert await there.state() == ("applied" if posted else "approved")
    if not posted:
        assert isinstance(await there.adjustments.apply(NAME, token=None), Applied)
    assert there.book.taken == [NAME]
    assert isinstance(await there.apply(OTHER), Applied)


async def test_what_was_lost_on_the_way_back_is_asked_about_at_once(there: Elsewhere) -> None:
    assert there.server is not None
    there.server.faults = [Fault(status=500)]
    assert await there.apply() == Applied(NAME, "1")
    assert [asked.method for asked in there.server.asked] == ["POST", "GET"]


async def test_a_book_that_says_nothing_is_believed_by_what_is_seen(there: Elsewhere) -> None:  # I7
    assert there.server is not None
    there.server.faults = [Fault(ending="never"), *[DEAF] * 9]
    await there.apply()
    await there.adjustments.settle("main", seen={NAME: Sighting.UNCLEAR})
    await there.adjustments.settle("main", seen={NAME: Sighting.UNCHANGED})
    assert await there.state() == "outcome_unknown"  # the whole difference alone proves nothing
    await there.adjustments.settle("main", seen={NAME: Sighting.AGREES})
    assert (await there.states())[-2:] == ["applied", "verified"]
    assert (await there.kept()).outcome == Applied(NAME, None)


async def test_a_straggler_comes_too_late_once_a_newer_owner_has_asked(there: Elsewhere) -> None:  # I9
    assert there.server is not None
    there.server.faults = [DEAF, DEAF]
    await there.lease(3)
    await there.apply(token=3)
    await there.lease(4)
    await there.adjustments.settle("main", token=4, seen={NAME: Sighting.UNCHANGED})
    assert await there.state() == "approved"
    late = handover_of(MADE, token=3)  # the first one, after all
    assert not isinstance(await there.receiver.send(late), NoAnswer)
    assert there.book.taken == []


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_an_address_where_nobody_may_speak_loses_nothing(there: Elsewhere, status: int) -> None:
    assert there.server is not None
    there.server.faults = [Fault(posts=False, status=status, body=f'{{"title": "what is {TOKEN}?"}}'.encode())]
    with pytest.raises(BookFailed, match=r"stays approved.*gal-friday preflight") as told_:
        await there.apply()
    assert TOKEN not in str(told_.value)
    assert await there.states() == ["approved", "intended", "approved"]
    assert isinstance(await there.adjustments.apply(NAME, token=None), Applied)


async def test_where_nobody_listens_nothing_is_lost_and_nothing_unknown(there: Elsewhere) -> None:
    await there.approved()
    async with receiving() as gone:
        url = gone.url
    nobody = HttpReceiver(url, token=TOKEN, deadlines=SHORT)
    assert isinstance(await nobody.send(handover_of(MADE, token=None)), NotSent)
    assert isinstance(await nobody.ask(handover_of(MADE, token=None)), NoAnswer)
    with pytest.raises(BookFailed, match="no connection"):
        await nobody.check()


async def test_other_content_under_a_known_key_is_refused_and_flagged(there: Elsewhere) -> None:
    assert there.server is not None
    there.server.faults = [Fault(posts=False, status=409, body=told(outcome="refused", reason="mine differs"))]
    outcome = await there.apply()
    assert outcome == Refused(NAME, "it has this key with other content: mine differs")


async def test_a_refusal_that_repeats_the_token_is_kept_without_it(there: Elsewhere) -> None:
    assert there.server is not None
    reason = f"no {TOKEN}\n\x1b[2J here" + "!" * 9_000
    there.server.faults = [Fault(posts=False, status=422, body=told(outcome="refused", reason=reason))]
    outcome = await there.apply()
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("no … ?[2J here!")
    assert len(outcome.reason) <= 500
    assert TOKEN not in await everything_kept(there)


async def test_a_redirect_takes_the_token_nowhere(there: Elsewhere) -> None:
    assert there.server is not None
    async with receiving() as thief:
        away = (("Location", thief.url),)
        there.server.faults = [
            Fault(posts=False, status=308, headers=away),
            Fault(posts=False, status=302, headers=away),
        ]
        assert isinstance(await there.apply(), Unsettled)
        assert thief.asked == []


async def test_what_waits_there_is_asked_about_again(there: Elsewhere) -> None:
    assert there.server is not None
    there.server.faults = [Fault(posts=False, status=202, body=told(outcome="waiting", reason="tonight"))]
    assert await there.apply() == Unsettled(NAME, "tonight")
    await there.adjustments.settle("main", seen={NAME: Sighting.UNCHANGED})
    assert await there.state() == "approved"  # by then the book did not have it any more


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_many_processes_at_once_post_it_once(tmp_path: Path, databases: Any, store: str) -> None:  # I9
    async with elsewhere("http", tmp_path, databases, store=store) as there:
        await there.approved()
        await there.approved(OTHER)
        names = [NAME, OTHER.adjustment_id] * 3
        done = await asyncio.gather(
            *(there.another().apply(name, token=None) for name in names), return_exceptions=True
        )  # fmt: skip
        assert all(isinstance(one, Applied | Unsettled | IllegalStep) for one in done), done
        assert len(there.book.taken) == len(set(there.book.taken)) > 0
        for name in names:
            await there.another().settle("main")
            with_outcome = await there.adjustments.apply(name, token=None)
            assert isinstance(with_outcome, Applied)
        assert sorted(there.book.taken) == sorted({*names})


FAULTS = st.lists(st.sampled_from([Fault(), *(one for one in LOST.values() if one.ending not in ("never", "drip"))]))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=FAULTS, does=st.lists(st.sampled_from(["apply", "agrees", "unchanged", "unclear", "again"]), max_size=8))
async def test_whatever_goes_wrong_in_whatever_order_nothing_is_posted_twice(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault], does: list[str]
) -> None:  # I9
    async with elsewhere("http", tmp_path_factory.mktemp("any"), None) as there:
        assert there.server is not None
        there.server.faults = list(faults)
        await there.approved()
        for token, what in enumerate(["apply", *does, "unchanged", "again", "apply"], 1):
            await _done(there, what, token)
            assert there.book.taken in ([], [NAME])
            assert (await there.state()) not in ("applied", "verified") or there.book.taken or "agrees" in does


async def _done(there: Elsewhere, what: str, token: int) -> None:
    await there.lease(token)
    try:
        if what == "apply":
            await there.adjustments.apply(NAME, token=token)
        elif what == "again":
            later = replace(MADE, at=MADE.at + timedelta(hours=token))
            await there.adjustments.keep([later], state=AdjustmentState.APPROVED, by=POLICY)
        else:
            await there.adjustments.settle("main", token=token, seen={NAME: Sighting(what)})
    except (GalFridayError, BookFailed):
        pass  # told to whoever asked; what counts is what the book holds


@pytest.mark.parametrize(
    "url",
    [
        "http://bot.example/adjustments",
        "https://user:pw@bot.example/x",
        "https://bot.example/x?key=1",
        "ftp://127.0.0.1/x",
        "https://",
        "nonsense",
        "http://127.0.0.1:99999999/x",
    ],
)
def test_an_address_that_may_carry_no_token_is_refused(url: str) -> None:
    with pytest.raises(UnusableAddress) as refused:
        HttpReceiver(url, token=TOKEN, deadlines=Deadlines())
    assert TOKEN not in str(refused.value)
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünïcode"])
def test_a_token_that_no_header_can_carry_is_refused(token: str) -> None:
    with pytest.raises(UnusableAddress) as refused:
        HttpReceiver("https://bot.example/x", token=token)
    assert token not in str(refused.value)


async def test_a_wrong_token_is_found_before_anything_is_handed_over(there: Elsewhere) -> None:
    assert there.server is not None
    stranger = HttpReceiver(there.server.url, token="another", deadlines=SHORT)
    with pytest.raises(BookFailed, match=r"401.*does not know the token"):
        await stranger.check()
    there.server.faults = [Fault(posts=False, status=200, body=b"<html>welcome</html>")]
    with pytest.raises(BookFailed, match=r"not as docs/handing-over\.md says"):
        await there.receiver.check()
    await stranger.aclose()


async def test_a_table_that_is_not_there_is_told_and_loses_nothing(tmp_path: Path) -> None:
    async with elsewhere("table", tmp_path, None) as there:
        assert there.system is not None
        async with there.system.engine.begin() as connection:
            await connection.execute(text("DROP TABLE gal_friday_handovers"))
        with pytest.raises(BookFailed):
            await there.receiver.check()
        assert isinstance(await there.apply(), Unsettled)


async def test_a_row_with_an_older_token_is_not_even_laid_out(tmp_path: Path) -> None:  # I9
    async with elsewhere("table", tmp_path, None) as there:
        assert there.system is not None
        assert await there.receiver.ask(handover_of(MADE, token=5)) == Absent()  # a newer owner has asked
        there.system.book = MemoryReceiver()  # one that looks at no token
        assert isinstance(await there.receiver.send(handover_of(MADE, token=4)), TurnedDown)
        assert isinstance(await there.receiver.send(handover_of(OTHER, token=4)), TurnedDown)
        await there.system.work()
        assert there.system.book.taken == []
        assert isinstance(await there.receiver.send(handover_of(MADE, token=5)), Took)
        assert there.system.book.taken == [NAME]


async def test_a_row_that_nobody_answers_waits_and_is_closed_once_both_sides_agree(tmp_path: Path) -> None:
    async with elsewhere("table", tmp_path, None) as there:
        assert there.system is not None
        there.system.works = False
        assert isinstance(await there.apply(), Unsettled)
        await there.adjustments.settle("main", seen={NAME: Sighting.UNCHANGED})
        assert await there.state() == "outcome_unknown"  # it may still be posted
        await there.adjustments.settle("main", seen={NAME: Sighting.AGREES})
        assert await there.state() == "verified"
        there.system.works = True
        await there.system.work()
        assert there.book.taken == []  # closed: it is not to be posted any more
