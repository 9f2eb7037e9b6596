"""What was listed once is known for ever: handed on by hand, or kept in a folder."""

from pathlib import Path

import httpx2
import pytest

from tests.adapters.kraken.script import ok
from tests.adapters.kraken.test_exchange import PAIRS, Account


def only_ada(asked: dict[str, str]) -> httpx2.Response:
    return ok({} if asked else {"ADAEUR": PAIRS["ADAEUR"]})


async def test_what_was_learned_of_names_is_handed_on() -> None:
    account = Account()
    await account.exchange.open()
    known = account.exchange.known_names
    account.answers["AssetPairs"] = only_ada
    later = account.another(known=known)
    await later.open()
    assert later.known_names.pairs.keys() == PAIRS.keys()


async def test_what_was_learned_of_names_outlasts_the_process(tmp_path: Path) -> None:
    account = Account()
    await account.another(state_folder=tmp_path).open()
    account.answers["AssetPairs"] = only_ada
    await account.another(state_folder=tmp_path).open()
    later = account.another(state_folder=tmp_path)
    await later.open()
    assert later.known_names.pairs.keys() == PAIRS.keys()


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"pairs": {"A": 1}}'])
async def test_names_that_cannot_be_read_are_learned_anew(tmp_path: Path, content: bytes) -> None:
    account = Account()
    await account.another(state_folder=tmp_path).open()
    for kept in tmp_path.glob("kraken-names-*.json"):  # noqa: ASYNC240 - nothing else waits
        kept.write_bytes(content)
    await account.another(state_folder=tmp_path).open()
    account.answers["AssetPairs"] = only_ada
    later = account.another(state_folder=tmp_path)
    await later.open()
    assert later.known_names.pairs.keys() == PAIRS.keys()
