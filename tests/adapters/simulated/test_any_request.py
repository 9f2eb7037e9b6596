"""Whatever a client sends, it gets an answer in Kraken's envelope, and reading changes nothing."""

from urllib.parse import urlencode

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.simulated import scenarios
from gal_friday.adapters.simulated.answer import HttpRequest
from gal_friday.adapters.simulated.auth import signature
from gal_friday.adapters.simulated.private_endpoints import PRIVATE
from gal_friday.adapters.simulated.public_endpoints import PUBLIC
from gal_friday.adapters.simulated.service import Service
from tests.adapters.simulated.identities import check_all

WORLD = scenarios.quiet(4)
SERVICE = Service(WORLD.exchange, enforce_limits=False)
ACCOUNT = WORLD.exchange.account("main")
WORLD.exchange.quirks.unknown_id_fails_list = False

names = st.sampled_from(
    [
        "asset", "aclass", "type", "start", "end", "ofs", "without_count", "trades", "ledgers", "txid", "id",
        "consolidation", "docalcs", "closetime", "userref", "cl_ord_id", "consolidate_taker", "report",
        "format", "description", "starttm", "endtm", "order_id", "rebase_multiplier", "pair", "info",
        "assetVersion", "aclass_base",
    ]
)  # fmt: skip
known = st.sampled_from(
    [
        "XXBT", "ZUSD,XBT", "all", "trade", "any position", "closed position", "market", "true", "false",
        "50", "1772366399.9999", "0", "-1", "both", "open", "ledgers", "trades", "CSV", "base", "delete", "1",
        *list(ACCOUNT.orders)[:3], *[row.id for row in ACCOUNT.trades.rows[:3]],
        *[row.id for row in ACCOUNT.ledger.rows[:3]], *ACCOUNT.open_positions,
    ]
)  # fmt: skip
params = st.dictionaries(names, known | st.text(max_size=20), max_size=5)


def sent(path: str, form: dict[str, str]) -> HttpRequest:
    key = WORLD.key
    nonce = str(key.nonce + 1)
    body = urlencode({"nonce": nonce, **form}).encode()
    sign = signature(key.secret_bytes, path, nonce, body)
    return HttpRequest("POST", path, "", {"api-key": key.key, "api-sign": sign}, body)


def is_an_envelope(body: bytes) -> bool:
    answer = msgspec.json.decode(body)
    return isinstance(answer["error"], list) and (bool(answer["error"]) != ("result" in answer))


@given(endpoint=st.sampled_from(sorted(PRIVATE)), form=params)
def test_every_signed_request_is_answered_in_the_envelope(endpoint: str, form: dict[str, str]) -> None:
    before = len(ACCOUNT.ledger), len(ACCOUNT.trades), dict(ACCOUNT.balances)
    answer = SERVICE.answer(sent(f"/0/private/{endpoint}", form))
    assert answer.status == 200
    assert answer.body[:2] == b"PK" or is_an_envelope(answer.body)
    assert before == (len(ACCOUNT.ledger), len(ACCOUNT.trades), dict(ACCOUNT.balances))


@given(endpoint=st.sampled_from(sorted(PUBLIC)), form=params)
def test_every_public_request_is_answered_in_the_envelope(endpoint: str, form: dict[str, str]) -> None:
    answer = SERVICE.answer(HttpRequest("GET", f"/0/public/{endpoint}", urlencode(form), {}, b""))
    assert is_an_envelope(answer.body)


@given(path=st.text(max_size=40), body=st.binary(max_size=80), json=st.booleans())
def test_nonsense_is_refused_in_the_envelope(path: str, body: bytes, json: bool) -> None:
    kind = "application/json" if json else "application/x-www-form-urlencoded"
    for place in (f"/{path}", f"/0/private/{path}", "/0/private/Balance"):
        answer = SERVICE.answer(HttpRequest("POST", place, "", {"content-type": kind}, body))
        assert msgspec.json.decode(answer.body)["error"]


def test_the_world_is_still_whole_after_all_that_reading() -> None:
    check_all(WORLD.exchange)
