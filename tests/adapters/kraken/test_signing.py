"""The signature, and that nobody sees what it is made of."""

import base64
import pickle

import pytest

from gal_friday.adapters.kraken.signing import Credentials, sign
from gal_friday.ports.errors import ExchangeRefused

DOCUMENTED_SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def test_the_documented_request_has_the_documented_signature() -> None:
    body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    secret = base64.b64decode(DOCUMENTED_SECRET)
    assert sign(secret, "/0/private/AddOrder", 1616492376594, body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_a_nanosecond_nonce_is_signed_as_krakens_own_client_signs_it() -> None:
    credentials = Credentials("key", base64.b64encode(b"\x01" * 32).decode())
    signature = credentials.signature("/0/private/Balance", 1700000000000000000, "nonce=1700000000000000000")
    assert signature == "6i7+cpXVLDDnDOekgsRcgFQhkYFyPDSSxhSVA8OrA6vjziXcy2K1DP3n7f9B/Kgni71WjBSQusZKxduRsdF20Q=="


def test_a_secret_that_is_no_base64_is_refused_without_being_shown() -> None:
    with pytest.raises(ExchangeRefused) as refusal:
        Credentials("key", "not base64, but still secret")
    assert "secret" not in str(refusal.value).replace("API secret", "")
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("key", ["", "with\nnewline", "kéy"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(key: str) -> None:
    with pytest.raises(ExchangeRefused, match="API key"):
        Credentials(key, DOCUMENTED_SECRET)


def test_credentials_show_nothing_and_cannot_be_written_down() -> None:
    credentials = Credentials("my-key", DOCUMENTED_SECRET, otp="my-second-factor")
    shown = f"{credentials!r} {credentials} {credentials.fingerprint}"
    assert not any(part in shown for part in ("my-key", "kQH5", "my-second-factor"))
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
