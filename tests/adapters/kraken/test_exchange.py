"""The account as a whole, over written answers: what no simulated exchange says, and what it says too rarely."""

import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Coverage
from gal_friday.ports.errors import ExchangeMalformed, ExchangeRefused, ExchangeUnavailable
from tests.adapters.kraken.script import KEY, SECRET, ok, refused

Answerer = httpx2.Response | Callable[[dict[str, str]], httpx2.Response]

ASSETS = {
    "XXBT": {"altname": "XBT", "decimals": 10},
    "ZUSD": {"altname": "USD", "decimals": 4},
    "ZEUR": {"altname": "EUR", "decimals": 4},
    "ZJPY": {"altname": "JPY", "decimals": 2},
    "ADA": {"altname": "ADA", "decimals": 8},
}
PAIRS = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "cost_decimals": 5},
    "ZUSDZJPY": {"altname": "USDJPY", "wsname": "USD/JPY", "base": "ZUSD", "quote": "ZJPY"},
    "ADAEUR": {"altname": "ADAEUR", "wsname": "ADA/EUR", "base": "ADA", "quote": "ZEUR"},
    "ZEURZUSD": {"altname": "EURUSD", "wsname": "EUR/USD", "base": "ZEUR", "quote": "ZUSD"},
}
KEY_INFO = {
    "api_key": KEY,
    "permissions": ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger"],
    "nonce_window": "0",
    "valid_until": "0",
    "query_from": "0",
    "query_to": "0",
    "ip_allowlist": [""],
}


class Account:
    """A Kraken of written answers, by endpoint."""

    def __init__(self, **answers: Answerer) -> None:
        self.clock = SteppedClock()
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, Answerer] = {
            "SystemStatus": ok({"status": "online"}),
            "Time": lambda _: ok({"unixtime": int(self.clock.now().timestamp())}),
            "Assets": lambda asked: ok({} if "aclass" in asked else ASSETS),
            "AssetPairs": lambda asked: ok({} if "aclass_base" in asked else PAIRS),
            "GetApiKeyInfo": ok(KEY_INFO),
            **answers,
        }
        self.exchange = self.another()

    def another(self, **options: Any) -> KrakenExchange:
        return KrakenExchange(
            key=KEY,
            secret=SECRET,
            clock=self.clock,
            url="https://kraken.test",
            tier="none",
            http=httpx2.MockTransport(self._answer),
            **options,
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.rpartition("/")[2]
        asked = dict(httpx2.QueryParams(request.content.decode())) or dict(request.url.params)
        self.calls.append((name, asked))
        answer = self.answers[name]
        if callable(answer):
            return answer(asked)
        return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def asked(self, name: str) -> list[dict[str, str]]:
        return [asked for called, asked in self.calls if called == name]


# --- opening --------------------------------------------------------------------------------------


async def test_an_answer_about_another_key_is_refused() -> None:
    with pytest.raises(ExchangeRefused, match="another API key") as refusal:
        await Account(GetApiKeyInfo=ok({**KEY_INFO, "api_key": "somebody-elses"})).exchange.open()
    assert "somebody-elses" not in str(refusal.value)


async def test_an_exchange_that_tells_nothing_about_keys_can_be_read() -> None:
    account = Account(GetApiKeyInfo=refused("EGeneral:Unknown method"), BalanceEx=ok({"ZUSD": {"balance": "1"}}))
    assert (await account.exchange.balances()).rows


@pytest.mark.parametrize("name", ["Assets", "AssetPairs"])
async def test_an_empty_list_of_names_is_a_failed_read(name: str) -> None:  # N1
    with pytest.raises(ExchangeMalformed):
        await Account(**{name: ok({})}).exchange.open()


async def test_a_country_without_tokenized_assets_is_no_failure() -> None:
    def assets(asked: dict[str, str]) -> httpx2.Response:
        return refused("EGeneral:Invalid arguments:aclass") if "aclass" in asked else ok(ASSETS)

    await Account(Assets=assets).exchange.open()


# --- a state that contradicts itself ----------------------------------------------------------------


async def test_no_balance_at_all_is_not_believed_while_the_ledger_has_rows() -> None:  # N1
    row = {"refid": "R", "time": "1", "type": "deposit", "asset": "ZUSD", "amount": "1", "fee": "0", "balance": "1"}
    account = Account(BalanceEx=ok({}), Ledgers=ok({"ledger": {"L1": row}, "count": 1}))
    reading = await account.exchange.balances()
    assert reading.coverage is Coverage.PARTIAL
    assert len(account.asked("BalanceEx")) == 2


async def test_no_balance_at_all_is_not_believed_while_nobody_can_confirm_it() -> None:
    account = Account(BalanceEx=ok({}), Ledgers=refused("EGeneral:Permission denied"))
    assert (await account.exchange.balances()).coverage is Coverage.PARTIAL


@pytest.mark.parametrize("positions, cost", [({}, "600.5"), ("one", "0.00")])
async def test_positions_that_contradict_the_trade_balance_are_not_taken_as_whole(positions: Any, cost: str) -> None:
    lot = {"pair": "XXBTZUSD", "type": "buy", "vol": "1", "vol_closed": "0", "cost": "1"}
    listed = {"T1": lot} if positions else {}
    account = Account(OpenPositions=ok(listed), TradeBalance=ok({"c": cost, "m": "0"}))
    reading = await account.exchange.positions()
    assert reading.coverage is Coverage.PARTIAL
    assert len(account.asked("OpenPositions")) == 2


@pytest.mark.parametrize("answer", [refused("EGeneral:Permission denied"), ok({"c": "NaN"}), ok([])])
@pytest.mark.parametrize("lots", [0, 1])
async def test_positions_that_nothing_confirms_are_not_taken_as_whole(answer: httpx2.Response, lots: int) -> None:
    lot = {"pair": "XXBTZUSD", "type": "buy", "vol": "1", "vol_closed": "0", "cost": "1"}
    account = Account(OpenPositions=ok({"T1": lot} if lots else {}), TradeBalance=answer)
    reading = await account.exchange.positions()
    assert len(reading.rows) == lots
    assert reading.coverage is Coverage.PARTIAL
    assert f"Kraken lists {lots or 'no'} open position" in reading.reasons[0]
    assert "the trade balance cannot confirm it" in reading.reasons[0]


# --- orders -----------------------------------------------------------------------------------------

ROW = {
    "status": "closed",
    "opentm": 1.5,
    "closetm": 2.5,
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1"},
    "vol": "1",
    "vol_exec": "1",
}


def by_id(*there: str, spoils: bool) -> Callable[[dict[str, str]], httpx2.Response]:
    def answer(asked: dict[str, str]) -> httpx2.Response:
        ids = asked["txid"].split(",")
        if spoils and not set(ids) <= set(there):
            return refused("EOrder:Invalid order")
        return ok({name: ROW for name in ids if name in there})

    return answer


def with_orders(query: Callable[[dict[str, str]], httpx2.Response]) -> Account:
    return Account(OpenOrders=ok({"open": {}}), ClosedOrders=ok({"closed": {}, "count": 0}), QueryOrders=query)


@pytest.mark.parametrize("spoils", [True, False])
async def test_an_unknown_id_costs_the_others_nothing(spoils: bool) -> None:
    known = [f"O{number:05}-AAAAA-AAAAAA" for number in range(120)]
    there = [name for name in known if not name.endswith("7-AAAAA-AAAAAA")]
    account = with_orders(by_id(*there, spoils=spoils))
    reading = await account.exchange.orders(since=account.clock.now(), known=known)
    assert [row.order_id for row in reading.rows] == there
    assert len(reading.notes) == 12
    assert all(len(asked["txid"].split(",")) <= 50 for asked in account.asked("QueryOrders"))


@pytest.mark.parametrize("odd", ["a,b", "", "x" * 60, "with space", "O1&otp=1", "ö"])
async def test_what_is_no_id_is_not_sent(odd: str) -> None:
    account = with_orders(by_id(spoils=True))
    reading = await account.exchange.orders(since=account.clock.now(), known=[odd])
    assert reading.rows == ()
    assert account.asked("QueryOrders") == []
    assert len(reading.notes) == 1


async def test_an_order_that_closed_in_between_is_closed() -> None:
    account = Account(
        OpenOrders=ok({"open": {"O1": {**ROW, "status": "open"}}}),
        ClosedOrders=ok({"closed": {"O1": ROW}, "count": 1}),
    )
    since = account.clock.now() - timedelta(days=365 * 80)
    (row,) = (await account.exchange.orders(since=since)).rows
    assert row.status == "filled"


@pytest.mark.parametrize("name, inside", [("OpenOrders", "open"), ("ClosedOrders", "closed")])
async def test_a_list_of_orders_without_its_list_is_a_failed_read(name: str, inside: str) -> None:  # N1
    answers: dict[str, Answerer] = {
        "OpenOrders": ok({"open": {}}),
        "ClosedOrders": ok({"closed": {}, "count": 0}),
        name: ok({"count": 0}),
    }
    account = Account(**answers)
    with pytest.raises(ExchangeMalformed, match=name):
        await account.exchange.orders(since=account.clock.now())


# --- history ----------------------------------------------------------------------------------------


async def test_adjacent_fills_are_not_asked_to_be_merged() -> None:
    account = Account(TradesHistory=ok({"trades": {}, "count": 0}))
    now = account.clock.now()
    await account.exchange.fills(since=now - timedelta(hours=1), until=now)
    (asked,) = account.asked("TradesHistory")
    assert asked["consolidate_taker"] == "false"
    assert int(asked["start"]) < (now - timedelta(hours=1)).timestamp()
    assert int(asked["end"]) > now.timestamp()


async def test_a_trade_that_only_the_ledger_shows_is_asked_for_by_its_id() -> None:
    at = "1769850000.5"
    row = {"refid": "T1", "time": at, "type": "trade", "asset": "ZUSD", "amount": "-5", "fee": "0.1", "balance": "1"}
    trade = {"pair": "XXBTZUSD", "time": at, "type": "buy", "price": "5", "cost": "5", "fee": "0.2", "vol": "1"}
    account = Account(
        Ledgers=ok({"ledger": {"L1": row}, "count": 1}),
        TradesHistory=ok({"trades": {}, "count": 0}),
        QueryTrades=ok({"T1": trade}),
    )
    now = account.clock.now()
    await account.exchange.movements(since=now - timedelta(days=1), until=now)
    reading = await account.exchange.fills(since=now - timedelta(days=1), until=now)
    assert [fill.fill_id for fill in reading.rows] == ["T1"]
    assert reading.coverage is Coverage.TOTAL
    assert any("found by their id" in note for note in reading.notes)


async def test_a_trade_that_nobody_can_show_makes_the_fills_partial() -> None:
    row = {"refid": "T1", "time": "1769850000.5", "type": "trade", "asset": "ZUSD", "amount": "-5", "fee": "0",
           "balance": "1"}  # fmt: skip
    account = Account(
        Ledgers=ok({"ledger": {"L1": row}, "count": 1}),
        TradesHistory=ok({"trades": {}, "count": 0}),
        QueryTrades=refused("EQuery:Unknown trade"),
    )
    account.answers["QueryTrades"] = refused("EOrder:Invalid order")
    now = account.clock.now()
    await account.exchange.movements(since=now - timedelta(days=1), until=now)
    reading = await account.exchange.fills(since=now - timedelta(days=1), until=now)
    assert reading.coverage is Coverage.PARTIAL
    assert "T1" in reading.reasons[0]


async def test_raw_answers_and_progress_are_handed_on() -> None:
    kept: list[tuple[str, bytes]] = []
    told: list[tuple[str, int, int | None]] = []
    account = Account(Ledgers=ok({"ledger": {}, "count": 0}), TradesHistory=ok({"trades": {}, "count": 0}))
    exchange = account.another(
        keep_raw=lambda source, body: kept.append((source, body)),
        progress=lambda what, rows, expected: told.append((what, rows, expected)),
    )
    now = account.clock.now()
    reading = await exchange.movements(since=now - timedelta(days=1), until=now)
    assert [source for source, _ in kept] == ["kraken/Ledgers", "kraken/TradesHistory"]
    assert told == [("ledger", 0, 0)]
    assert reading.evidence[0].pages == 1


# --- prices -----------------------------------------------------------------------------------------


async def test_prices_are_direct_backwards_or_over_one_currency() -> None:
    account = Account(
        Ticker=ok(
            {
                "XXBTZUSD": {"c": ["60000.10000", "0.1"]},
                "ZUSDZJPY": {"c": ["150.000", "1"]},
                "ADAEUR": {"c": ["0.5", "1"]},
                "ZEURZUSD": {"c": ["1.1", "1"]},
            }
        )
    )
    wanted = [Asset(name) for name in ("BTC", "JPY", "ADA", "USD", "NOPE", "?XFOO")]
    prices = await account.exchange.prices(wanted, currency=Asset("USD"))
    assert prices == {
        Asset("BTC"): Decimal("60000.1"),
        Asset("JPY"): Decimal("0.00666666666666666667"),
        Asset("ADA"): Decimal("0.55"),
        Asset("USD"): Decimal(1),
    }
    (asked,) = account.asked("Ticker")
    assert set(asked["pair"].split(",")) == set(PAIRS)


async def test_a_pair_that_never_traded_gives_no_price() -> None:
    account = Account(Ticker=ok({"XXBTZUSD": {"c": ["0.0", "0"]}}))
    assert await account.exchange.prices([Asset("BTC")], currency=Asset("USD")) == {}


# --- preflight --------------------------------------------------------------------------------------


async def outcomes(account: Account, **options: Any) -> dict[str, str]:
    return {check.name: check.outcome for check in await account.another(**options).preflight()}


@pytest.mark.parametrize(
    "answers, name, outcome",
    [
        ({}, "status", "ok"),
        ({"SystemStatus": ok({"status": "maintenance"})}, "status", "failed"),
        ({"SystemStatus": ok({"status": "cancel_only"})}, "status", "warning"),
        ({"Time": ok({"unixtime": 1769860830})}, "clock", "warning"),
        ({"Time": ok({"unixtime": 1769850000})}, "clock", "failed"),
        ({"Time": refused("EService:Busy")}, "clock", "failed"),
        ({"GetApiKeyInfo": refused("EAPI:Invalid key")}, "key", "failed"),
        ({"GetApiKeyInfo": refused("EGeneral:Unknown method")}, "key", "warning"),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "permissions": []})}, "key rights", "failed"),
        (
            {"GetApiKeyInfo": ok({**KEY_INFO, "permissions": [*KEY_INFO["permissions"], "withdraw-funds"]})},
            "key can only read",
            "failed",
        ),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "valid_until": "1769860000"})}, "key expiry", "failed"),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "valid_until": "1770000000"})}, "key expiry", "warning"),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "valid_until": "1800000000"})}, "key expiry", "ok"),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "query_from": "1769860000"})}, "query window", "warning"),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "query_to": "1769860000"})}, "query window", "failed"),
        ({"GetApiKeyInfo": ok({**KEY_INFO, "ip_allowlist": ["203.0.113.7"]})}, "addresses", "ok"),
        ({}, "addresses", "warning"),
    ],
)
async def test_preflight_says_what_is_right_and_what_is_not(
    answers: dict[str, Answerer], name: str, outcome: str
) -> None:
    assert (await outcomes(Account(**answers)))[name] == outcome


async def test_preflight_never_calls_a_right_harmless_that_nobody_knows() -> None:  # I15
    rights = [*KEY_INFO["permissions"], "export-data", "create-ws-token"]
    assert (await outcomes(Account(GetApiKeyInfo=ok({**KEY_INFO, "permissions": rights}))))["key can only read"] == "ok"
    account = Account(GetApiKeyInfo=ok({**KEY_INFO, "permissions": [*rights, "earn-funds"]}))
    assert (await outcomes(account))["key can only read"] == "warning"


@pytest.mark.parametrize("rights, outcome", [([], "failed"), (["create-ws-token"], "ok")])
async def test_preflight_says_whether_the_key_may_open_the_stream(rights: list[str], outcome: str) -> None:
    account = Account(GetApiKeyInfo=ok({**KEY_INFO, "permissions": [*KEY_INFO["permissions"], *rights]}))
    assert (await outcomes(account, stream=True))["stream"] == outcome
    assert "stream" not in await outcomes(account)


async def test_preflight_cannot_tell_of_the_stream_where_kraken_does_not_tell_of_the_key() -> None:
    account = Account(GetApiKeyInfo=refused("EGeneral:Unknown method"))
    assert (await outcomes(account, stream=True))["stream"] == "warning"


async def test_preflight_lets_a_trading_key_pass_with_a_warning_where_that_is_allowed() -> None:
    account = Account(GetApiKeyInfo=ok({**KEY_INFO, "permissions": [*KEY_INFO["permissions"], "close-trades"]}))
    assert (await outcomes(account, allow_trading_key=True))["key can only read"] == "warning"


async def test_maintenance_opens_nothing() -> None:
    with pytest.raises(ExchangeUnavailable, match="maintenance"):
        await Account(SystemStatus=ok({"status": "maintenance"})).exchange.open()


async def test_the_state_folder_is_shared_by_all_clients_of_a_key(tmp_path: Path) -> None:
    account = Account(BalanceEx=ok({"ZUSD": {"balance": "1"}}))
    for _ in range(3):
        await account.another(state_folder=tmp_path).balances()
    nonces = [int(asked["nonce"]) for _, asked in account.calls if "nonce" in asked]
    assert nonces == sorted(set(nonces))
    assert len([name for name in os.listdir(tmp_path) if name.endswith(".state")]) == 1
