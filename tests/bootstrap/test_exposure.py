"""Where the service answers: what other machines reach is refused without TLS, in words that say what to do."""

from pathlib import Path

import pytest

from gal_friday.bootstrap.access import front_of
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.exposure import is_loopback
from gal_friday.bootstrap.settings import ApiSettings, load

PUBLIC = "can be reached from other machines, and passwords and tokens would travel in the open; set tls_cert and"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str) -> ApiSettings:
    Path("gal-friday.toml").write_text(f"[api]\n{text}")
    return load(environment={}).api


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine_alone_needs_nothing(host: str) -> None:
    assert is_loopback(host)
    assert loaded(f'host = "{host}"').host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "books.example.org", "127.0.0.1.example", "", "128.0.0.1"]
)
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(BadConfiguration, match="gal-friday config check") as refused:
        loaded(f'host = "{host}"')
    assert PUBLIC in str(refused.value)


@pytest.mark.parametrize(
    "more",
    [
        'tls_cert = "c.pem"\ntls_key = "k.pem"',
        'trusted_proxies = "10.0.0.1"',
        'trusted_proxies = "10.0.0.0/8, fd00::/8"',
    ],
)
def test_it_is_taken_with_tls_or_behind_a_proxy_that_has_it(more: str) -> None:
    assert loaded(f'host = "0.0.0.0"\n{more}').host == "0.0.0.0"


@pytest.mark.parametrize(
    "text, said",
    [
        ("port = 70000", "must be from 0 to 65535"),
        ("port = -1", "must be from 0 to 65535"),
        ('tls_cert = "c.pem"', "tls_key: is missing: TLS takes both"),
        ('host = "0.0.0.0"\ntls_key = "k.pem"', "tls_cert: is missing: TLS takes both"),
        ('trusted_proxies = "proxy.example"', "must be addresses or networks"),
        ('trusted_proxies = "0.0.0.0/0"', "must not be everybody"),
        ('trusted_proxies = "10.0.0.1, ::/0"', "must not be everybody"),
        ('allowed_hosts = "*"', "must be plain names"),
        ('allowed_hosts = "https://a.example"', "must be plain names"),
        ('public_url = "books.example.org"', "must be https://name, without a path"),
        ('public_url = "https://books.example.org/gf"', "must be https://name, without a path"),
        ('public_url = "http://books.example.org"', "must begin with https://"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(text: str, said: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        loaded(text)
    assert said in str(refused.value)


def test_the_names_that_it_goes_by_are_those_that_were_named() -> None:
    text = 'host = "0.0.0.0"\npublic_url = "https://Books.example.org:8443"\nallowed_hosts = "a.example, b.example"\n'
    front = front_of(loaded(text + 'trusted_proxies = "10.0.0.1"'))
    assert front.hosts == {"localhost", "127.0.0.1", "[::1]", "books.example.org", "a.example", "b.example"}
    assert front.is_proxy("10.0.0.1")
    assert not front.is_proxy("10.0.0.2")


def test_a_session_lasts_for_some_time() -> None:
    Path("gal-friday.toml").write_text("[access]\nsession_hours = 0")
    with pytest.raises(BadConfiguration, match="above zero"):
        load(environment={})
