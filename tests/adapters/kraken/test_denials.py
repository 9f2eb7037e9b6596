"""Answers that are well formed and deny each other, or mean another time: none of them is taken as whole."""

from datetime import timedelta

import pytest

from gal_friday.domain.snapshot import Coverage
from gal_friday.ports.errors import ExchangeMalformed
from tests.adapters.kraken.rows import LEDGER, TRADE
from tests.adapters.kraken.script import ok
from tests.adapters.kraken.test_exchange import ROW, Account, Answerer, with_orders


def an_hour_ago(account: Account) -> str:
    return f"{(account.clock.now() - timedelta(hours=1)).timestamp():.4f}"


async def last_day(account: Account, what: str) -> tuple[Coverage, str]:
    now = account.clock.now()
    reading = await getattr(account.exchange, what)(since=now - timedelta(days=1), until=now)
    return reading.coverage, " ".join(reading.reasons)


async def test_a_ledger_that_is_empty_although_there_were_fills_is_no_empty_account() -> None:  # N1
    account = Account(Ledgers=ok({"ledger": {}, "count": 0}))
    trade = {"T1": TRADE | {"time": an_hour_ago(account)}}
    account.answers["TradesHistory"] = ok({"trades": trade, "count": 1})
    assert await last_day(account, "movements") == (
        Coverage.PARTIAL,
        "the ledger shows nothing, and yet there were fills: T1; run again",
    )
    account.answers["TradesHistory"] = ok({"trades": {}, "count": 0})
    assert await last_day(account, "movements") == (Coverage.TOTAL, "")


@pytest.mark.parametrize(
    "what, answer",
    [
        ("movements", {"Ledgers": ok({"ledger": {"L1": LEDGER | {"time": "99999999999"}}, "count": 1})}),
        ("fills", {"TradesHistory": ok({"trades": {"L1": TRADE | {"time": "99999999999"}}, "count": 1})}),
    ],
)
async def test_rows_of_another_time_are_not_left_out_in_silence(what: str, answer: dict[str, Answerer]) -> None:  # N1
    nothing = {"Ledgers": ok({"ledger": {}, "count": 0}), "TradesHistory": ok({"trades": {}, "count": 0})}
    coverage, reasons = await last_day(Account(**nothing | answer), what)
    assert coverage is Coverage.PARTIAL
    assert "after the time that was asked for, which were left out: L1" in reasons


async def test_an_answer_about_orders_that_nobody_asked_for_denies_none() -> None:  # N4
    account = with_orders(lambda asked: ok({"OBBBBB-BBBBB-BBBBBB": ROW}))
    with pytest.raises(ExchangeMalformed, match="nobody asked for OBBBBB-BBBBB-BBBBBB"):
        await account.exchange.orders(since=account.clock.now(), known=["OAAAAA-AAAAA-AAAAAA"])


@pytest.mark.parametrize("status", ["open", "pending", "closed", "canceled"])
async def test_lists_that_lack_an_order_that_exists_may_lack_others(status: str) -> None:  # N4
    account = Account(OpenOrders=ok({"open": {}}), ClosedOrders=ok({"closed": {}, "count": 0}))
    times = {"opentm": 1.5} if status in ("open", "pending") else {"opentm": 1.5, "closetm": an_hour_ago(account)}
    account.answers["QueryOrders"] = ok({"O1": ROW | {"status": status, "closetm": None} | times})
    now = account.clock.now()
    reading = await account.exchange.orders(since=now - timedelta(hours=2), known=["O1"])
    assert (reading.coverage, [row.order_id for row in reading.rows]) == (Coverage.PARTIAL, ["O1"])
    assert reading.reasons == ("orders that exist, and that no list of Kraken shows: O1; run again",)
    if times.get("closetm"):
        # Closed before the time of the lists, or so lately that a list may lag.
        assert (await account.exchange.orders(since=now - timedelta(minutes=1), known=["O1"])).reasons == ()


@pytest.mark.parametrize(
    "seconds, said",
    [
        (86_400, "this clock is 86400 s behind Kraken's; set it right"),
        (60, "this clock is 60 s behind Kraken's; set it right"),
        (59, ""),
        (-60, ""),  # Their clock shows whole seconds: up to one of them may be the answer's own.
        (-62, "this clock is 61 s ahead of Kraken's; set it right"),
        (-86_400, "this clock is 86399 s ahead of Kraken's; set it right"),
    ],
)
@pytest.mark.parametrize("what", ["movements", "fills"])
async def test_the_last_day_of_a_clock_that_is_far_off_is_not_the_last_day(what: str, seconds: int, said: str) -> None:
    account = Account(Ledgers=ok({"ledger": {}, "count": 0}), TradesHistory=ok({"trades": {}, "count": 0}))
    account.answers["Time"] = lambda _: ok({"unixtime": int(account.clock.now().timestamp()) + seconds})
    assert await last_day(account, what) == (Coverage.PARTIAL if said else Coverage.TOTAL, said)
