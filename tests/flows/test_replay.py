"""A recorded run, played again: the same report byte for byte, or the first place at which it is another one (I12)."""

import zlib
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.clock import PlayedClock, RecordingClock
from gal_friday.adapters.kraken import NO_KEY, NO_SECRET, Deadlines, KrakenExchange, Player, Recorder
from gal_friday.adapters.kraken.adapter import KrakenExchange as Adapter
from gal_friday.adapters.prices import FixedPrices
from gal_friday.adapters.recordings import MemoryRecordings
from gal_friday.adapters.simulated import FAULTS
from gal_friday.adapters.store import MemoryStore
from gal_friday.domain.aliases import Aliases
from gal_friday.domain.assets import Asset
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Balance
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.replay import Replayed, first_difference, keep, recorded, replay
from gal_friday.ports.clock import Clock
from gal_friday.ports.exchange import Exchange, Reading
from gal_friday.ports.prices import Prices
from gal_friday.ports.recordings import Conditions, Packed, Playing, Recording, Tape, digest_of, unpacked
from tests.flows.worlds import World, world

PRICES = (FixedPrices({Asset("BTC"): Decimal("60000.10")}, currency=Asset("USD")),)


class Ran(Struct, frozen=True):
    """One recorded run."""

    report: ReconciliationReport
    packed: Packed

    @property
    def stored(self) -> bytes:
        """The report as a store writes it."""
        return self.report.to_json()


async def run(
    account: World, store: MemoryStore | None = None, prices: Sequence[Prices] = PRICES, stays: bool = True,
    folder: Path | None = None,
) -> Ran:  # fmt: skip
    tape, keeper = Tape(), MemoryRecordings()
    clock = RecordingClock(account.clock, tape)
    exchange = KrakenExchange(
        key=account.day.key.key,
        secret=account.day.key.secret,
        otp="secondfactor",
        clock=account.clock,
        url=account.server.url,
        tier="none",
        deadlines=Deadlines(connect=1, read=0.1, total=0.2),
        recorder=Recorder(tape, clock),
        state_folder=folder,
    )
    conditions = Conditions(
        program="1",
        account=account.sources.account,
        exchange="kraken",
        since=account.clock.now() - timedelta(hours=24),
        only=RECORD_KINDS,
        policy=Policy(),
        aliases=Aliases(),
        prices=tuple(each.name for each in prices),
    )
    sources = replace(account.sources, exchange=exchange)
    report = await recorded(sources, store or MemoryStore(), tape, clock, conditions, prices, stays=stays)
    await exchange.close()
    await keep(keeper, report, tape, conditions)
    packed = await keeper.content(report.reconciliation_id)
    assert packed is not None
    return Ran(report, packed)


def reopened(playing: Playing, connector: type[Adapter] = KrakenExchange) -> tuple[Exchange, Clock]:
    clock = PlayedClock(playing)
    return connector(key=NO_KEY, secret=NO_SECRET, clock=clock, tier="none", recorder=Player(playing, clock)), clock


async def again(account: World, ran: Ran, connector: type[Adapter] = KrakenExchange) -> Replayed:
    return await replay(ran.packed, ran.stored, reopened=lambda it: reopened(it, connector), past=account.book)


async def test_a_run_is_worked_out_again_byte_for_byte() -> None:
    async with world() as account:
        ran = await run(account)
        assert ran.report.total_discrepancies > 0
        assert ran.report.duration_seconds > 0
        assert await again(account, ran) == Replayed(outcome="equal", recorded_by="1")


async def test_a_pair_that_was_renamed_is_known_by_its_old_name_and_in_the_replay_too(tmp_path: Path) -> None:
    async with world() as account:
        before = await run(account, folder=tmp_path)
        account.day.exchange.rename_pair("XXRPZUSD", "RIPPLEUSD")
        ran = await run(account, folder=tmp_path)
        assert ran.report.total_discrepancies == before.report.total_discrepancies
        assert (await again(account, ran)).outcome == "equal"
        forgetful = await run(account)
        assert forgetful.report.total_discrepancies > before.report.total_discrepancies


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_a_run_against_an_exchange_that_fails_is_worked_out_again_too(fault: str) -> None:
    async with world() as account:
        account.server.faults.switch_on(fault, times=None, after=9)
        ran = await run(account)
        assert await again(account, ran) == Replayed(outcome="equal", recorded_by="1")


async def test_several_faults_in_one_run_are_worked_out_again() -> None:
    async with world() as account:
        for number, fault in enumerate(sorted(FAULTS)[::3]):
            account.server.faults.switch_on(fault, times=1, after=3 + 2 * number)
        ran = await run(account)
        assert await again(account, ran) == Replayed(outcome="equal", recorded_by="1")


async def test_what_happens_to_book_and_discrepancies_later_changes_no_replay() -> None:
    async with world() as account:
        store = MemoryStore()
        runs = [await run(account, store)]
        for name in ("L1", "L2"):
            account.clock.advance(3600)
            late = replace(account.written.movements[-1], movement_id=name, refers_to=name)
            await account.book.append(account="main", exchange="kraken", movements=[late])
            runs.append(await run(account, store))
        assert len({ran.report.internal_version for ran in runs}) == 3
        for ran in runs:
            assert (await again(account, ran)).outcome == "equal"


async def test_a_book_that_keeps_no_versions_is_recorded_whole() -> None:
    async with world() as account:
        ran = await run(account, stays=False)
        async with world(write=False) as empty:
            assert (await again(empty, ran)).outcome == "equal"


async def test_an_account_that_no_book_knows_is_worked_out_again() -> None:
    async with world(write=False) as account:
        assert (await again(account, await run(account))).outcome == "equal"


async def test_a_replay_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as account:
        ran = await run(account)

    def refused(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("a replay opened a socket")

    monkeypatch.setattr("socket.socket.__init__", refused)
    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.create_connection", refused)
    assert (await again(account, ran)).outcome == "equal"


async def test_no_secret_is_ever_on_a_tape() -> None:
    async with world() as account:
        ran = await run(account)
        key = account.day.key
    story, answers = (zlib.decompress(part) for part in (ran.packed.story, ran.packed.answers))
    recording, bodies = unpacked(ran.packed)
    assert "GetApiKeyInfo" in {call.endpoint for call in recording.calls}
    for part in (story, answers, *bodies):
        for secret in (key.key, key.secret, "secondfactor"):
            assert secret.encode() not in part
        for word in (b"API-Key", b"API-Sign", b'"nonce"', b"otp", b'"token"'):
            assert word not in part
    assert not any({"nonce", "otp", "token"} & call.params.keys() for call in recording.calls)


def repacked(packed: Packed, **changed: Any) -> Packed:
    """Return the recording as somebody would leave it who changed it and knows how it is kept."""
    recording, bodies = unpacked(packed)
    recording = replace(recording, **{name: value for name, value in changed.items() if name != "bodies"})
    story = zlib.compress(msgspec.msgpack.encode(recording))
    answers = zlib.compress(b"".join(changed.get("bodies", bodies)))
    return Packed(story=story, answers=answers, digest=digest_of(story, answers), size=packed.size)


def with_a_changed_digit(ran: Ran) -> tuple[int, Recording, list[bytes]]:
    recording, bodies = unpacked(ran.packed)
    at = next(number for number, call in enumerate(recording.calls) if call.endpoint == "BalanceEx")
    body = bodies[at]
    digit = body.rindex(b"5")
    changed = body[:digit] + b"6" + body[digit + 1 :]
    return at, recording, [*bodies[:at], changed, *bodies[at + 1 :]]


async def test_a_changed_byte_of_an_answer_is_named_with_both_digests() -> None:
    async with world() as account:
        ran = await run(account)
        at, recording, bodies = with_a_changed_digit(ran)
        found = await again(account, replace(ran, packed=repacked(ran.packed, bodies=bodies)))
    assert found.outcome == "different"
    assert found.difference is not None
    assert found.difference.path == f"recording.calls[{at}] (BalanceEx)"
    assert found.difference.recorded == recording.calls[at].digest != found.difference.replayed


async def test_whoever_changes_an_answer_and_its_digests_is_found_by_the_evidence_of_the_report() -> None:
    import hashlib

    async with world() as account:
        ran = await run(account)
        at, recording, bodies = with_a_changed_digit(ran)
        calls = list(recording.calls)
        calls[at] = replace(calls[at], digest=hashlib.sha256(bodies[at]).hexdigest())
        changed = repacked(ran.packed, bodies=bodies)
        story = zlib.compress(msgspec.msgpack.encode(replace(recording, calls=tuple(calls))))
        changed = replace(changed, story=story, digest=digest_of(story, changed.answers))
        found = await again(account, replace(ran, packed=changed))
    assert found.outcome == "different"
    assert found.difference is not None
    assert found.difference.path.startswith("$.")


@pytest.mark.parametrize("part", ["story", "answers"])
async def test_a_flipped_bit_anywhere_in_what_is_kept_is_named(part: str) -> None:
    async with world() as account:
        ran = await run(account)
        kept = bytearray(getattr(ran.packed, part))
        kept[len(kept) // 2] ^= 1
        found = await again(account, replace(ran, packed=replace(ran.packed, **{part: bytes(kept)})))
    assert found.outcome == "different"
    assert found.difference is not None
    assert found.difference.path.startswith("recording")
    assert found.difference.recorded == ran.packed.digest


async def test_a_parser_that_rounds_gives_another_report_and_the_first_difference_is_named() -> None:
    class Rounding(KrakenExchange):
        """A connector that cuts balances to whole numbers."""

        async def balances(self) -> Reading[Balance]:
            reading = await super().balances()
            rows = tuple(replace(row, total=Decimal(int(row.total))) for row in reading.rows)
            return replace(reading, rows=rows)

    async with world() as account:
        ran = await run(account)
        found = await again(account, ran, Rounding)
    assert found.outcome == "different"
    assert found.difference is not None
    assert found.difference.path.startswith("$.")
    assert found.difference.recorded != found.difference.replayed


async def test_a_request_that_was_not_recorded_is_named() -> None:
    class Curious(KrakenExchange):
        """A connector that looks at the ledger once more."""

        async def balances(self) -> Reading[Balance]:
            await self.head()
            return await super().balances()

    async with world() as account:
        found = await again(account, await run(account), Curious)
    assert found.outcome == "different"
    assert found.missing is not None
    assert "Ledgers" in found.missing
    assert "was not recorded" in found.missing


async def test_a_recording_with_a_part_missing_is_incomplete_and_never_equal() -> None:
    async with world() as account:
        ran = await run(account)
        recording, _ = unpacked(ran.packed)
        for changed in (
            {"instants": recording.instants[:-1]},
            {"seconds": recording.seconds[:-1]},
            {"heard": recording.heard[:-1]},
            {"heard": recording.heard[1:]},
        ):
            found = await again(account, replace(ran, packed=repacked(ran.packed, **changed)))
            assert found.outcome != "equal"
            assert found.missing


async def test_a_book_that_lost_its_versions_makes_a_replay_incomplete() -> None:
    async with world() as account:
        ran = await run(account)
        async with world(write=False) as other:
            found = await again(other, ran)
    assert found.outcome == "incomplete"
    assert found.missing is not None
    assert "version" in found.missing


@pytest.mark.parametrize(
    "recorded_text,replayed_text,path,values",
    [
        (b'{"a":1,"b":[1,2]}', b'{"a":1,"b":[1,3]}', "$.b[1]", ("2", "3")),
        (b'{"a":[1]}', b'{"a":[1,"x"]}', "$.a[1]", ("(absent)", "x")),
        (b'{"a":"1"}', b'{"a":1}', "$.a", ("1", "1")),
        (b'{"a":1}', b'{"a":1,"b":null}', "$.b", ("(absent)", "null")),
        (b'{"a":1 }', b'{"a":1}', "$", ("8 bytes", "7 bytes that say the same")),
    ],
)
def test_the_first_difference_is_named_by_its_path(
    recorded_text: bytes, replayed_text: bytes, path: str, values: tuple[str, str]
) -> None:
    found = first_difference(recorded_text, replayed_text)
    assert found is not None
    assert (found.path, (found.recorded, found.replayed)) == (path, values)
