"""Kraken's error texts: each has its class, the worst decides, and none is lost."""

import pytest

from gal_friday.adapters.kraken.errors import ErrorClass, classify, refusal


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("EAPI:Rate limit exceeded", ErrorClass.RATE),
        ("EGeneral:Too many requests", ErrorClass.RATE),
        ("EAuth:Rate limit exceeded", ErrorClass.RATE),
        ("EAuth:Too many requests", ErrorClass.RATE),
        ("EAPI:Invalid key", ErrorClass.AUTH),
        ("EAPI:Invalid signature", ErrorClass.AUTH),
        ("EAuth:Account temporary disabled", ErrorClass.AUTH),
        ("EGeneral:Permission denied", ErrorClass.PERMISSION),
        ("EAccount:Invalid permissions:AAPLx trading restricted", ErrorClass.PERMISSION),
        ("ETrade:User Locked", ErrorClass.PERMISSION),
        ("EAPI:Invalid nonce", ErrorClass.NONCE),
        ("ESession:Invalid session", ErrorClass.TOKEN),
        ("EGeneral:Temporary lockout", ErrorClass.LOCKOUT),
        ("EService:Throttled: 1700000000", ErrorClass.THROTTLED),
        ("EService: Throttled: 1700000000", ErrorClass.THROTTLED),
        ("EService:Unavailable", ErrorClass.RETRYABLE),
        ("EService:Busy", ErrorClass.RETRYABLE),
        ("EService:Deadline elapsed", ErrorClass.RETRYABLE),
        ("EGeneral:Internal error", ErrorClass.RETRYABLE),
        ("EDatabase:Internal error", ErrorClass.RETRYABLE),
        ("EService:Market in cancel_only mode", ErrorClass.MARKET_STATE),
        ("EOrder:Rate limit exceeded", ErrorClass.TRADING_LIMIT),
        ("EOrder:Invalid order", ErrorClass.NOT_FOUND),
        ("EOrder:Unknown order", ErrorClass.NOT_FOUND),
        ("EOrder:Insufficient funds", ErrorClass.PERMANENT),
        ("EGeneral:Invalid arguments:txid", ErrorClass.PERMANENT),
        ("EQuery:Unknown asset pair", ErrorClass.PERMANENT),
        ("WAnything:At all", ErrorClass.WARNING),
        ("ESomething:New", ErrorClass.UNKNOWN),
        ("", ErrorClass.UNKNOWN),
    ],
)
def test_each_text_has_its_class(text: str, meaning: ErrorClass) -> None:
    assert classify(text) is meaning


def test_the_worst_entry_decides_and_every_text_is_kept() -> None:
    found = refusal(["EService:Busy", "EAPI:Invalid signature", "WGeneral:Soon"])
    assert found is not None
    assert found.worst is ErrorClass.AUTH
    assert found.texts == ("EService:Busy", "EAPI:Invalid signature", "WGeneral:Soon")


def test_a_lockout_is_seen_whatever_comes_with_it() -> None:
    found = refusal(["EGeneral:Temporary lockout", "EAPI:Invalid key"])
    assert found is not None
    assert found.locked


@pytest.mark.parametrize(
    "text, until",
    [
        ("EService:Throttled: 1700000000", 1700000000),
        ("EService: Throttled:1700000000", 1700000000),
        ("EService:Throttled", None),
        ("EService:Throttled: soon", None),
        ("EService:Throttled: 99999999999999", None),
    ],
)
def test_a_throttle_names_the_time_to_come_back(text: str, until: int | None) -> None:
    found = refusal([text])
    assert found is not None
    assert found.until == until


def test_no_entry_is_no_refusal() -> None:
    assert refusal([]) is None
