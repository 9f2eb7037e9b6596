"""Files and texts that come from outside, each through its parser; only the error that it states may come out."""

import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gal_friday.adapters.journal import anchors_in, flaw_of, proof_in, verify_journal
from gal_friday.adapters.kraken.exports import MalformedExport, read_exports
from gal_friday.adapters.prices.rows import rows_of
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.settings import AliasSettings, load
from gal_friday.domain.aliases import renamed
from gal_friday.domain.assets import Asset
from gal_friday.domain.errors import MalformedFact, MalformedSnapshot
from gal_friday.domain.exact_json import Unreadable, an_instant
from gal_friday.domain.handover import answer_in
from gal_friday.domain.journal import written
from gal_friday.domain.pushed import MalformedPush, read_pushed, write_pushed
from gal_friday.domain.scenario import read_scenario
from gal_friday.domain.scenario_words import MalformedScenario
from gal_friday.domain.snapshot_json import read_snapshot, write_snapshot
from gal_friday.domain.token_text import NotAToken, read
from gal_friday.flows.cursor import MalformedCursor, cursor_of, place_of
from gal_friday.ports.errors import PricesFailed

_CORPUS = Path(__file__).with_name("corpus")
_FOLDER = TemporaryDirectory(prefix="gal-friday-fuzz-", ignore_cleanup_errors=True)


def _kept(data: bytes, name: str) -> Path:
    path = Path(_FOLDER.name) / name
    path.write_bytes(data)
    return path


def snapshot(data: bytes) -> None:
    """A snapshot file: what was read is read again from what is written of it."""
    with suppress(MalformedSnapshot):
        known = read_snapshot(data, source="file")
        assert read_snapshot(write_snapshot(known), source="again") == known


def pushed(data: bytes) -> None:
    """A batch of each kind: what was read is read again from what is written of it."""
    for kind in ("fills", "movements", "orders"):
        with suppress(MalformedPush):
            known = read_pushed(data, kind)
            assert read_pushed(write_pushed(known.account, kind, getattr(known, kind)), kind) == known


def exports(data: bytes) -> None:
    """An export of Kraken, plain or packed."""
    with suppress(MalformedExport):
        read_exports(_kept(data, "export"))


def prices(data: bytes) -> None:
    """A file of prices, as CSV and as JSON."""
    for name in ("prices.csv", "prices.json"):
        with suppress(PricesFailed):
            rows_of(data, name, {"XBT": Asset("BTC")})


def scenario(data: bytes) -> None:
    """A scenario."""
    with suppress(MalformedScenario):
        read_scenario(data.decode(errors="replace"))


def settings(data: bytes) -> None:
    """A configuration."""
    with suppress(BadConfiguration):
        load(_kept(data, "gal-friday.toml"), environment={})


def variables(data: bytes) -> None:
    """Environment variables, one a line, over a configuration."""
    lines = (line.partition("=") for line in data.decode(errors="replace").splitlines())
    # What no system can pass on is none.
    environment = {f"GAL_FRIDAY_{name}": value for name, _, value in lines if "\0" not in name + value}
    with suppress(BadConfiguration):
        load(_CORPUS / "settings" / "account.toml", environment={**environment, "GAL_FRIDAY_CONFIG": ""})


def aliases(data: bytes) -> None:
    """Aliases of a configuration, over a snapshot in which every kind of record has the names."""
    with suppress(BadConfiguration):
        table = load(_kept(data, "aliases.toml"), environment={}).aliases
        assert isinstance(table, AliasSettings)
        known = read_snapshot((_CORPUS / "snapshot" / "all.json").read_bytes(), source="file")
        assert len(renamed(known, table.table()).fills) == len(known.fills)


def journal(data: bytes) -> None:
    """An exported journal or the proof of an entry: what is verified says nothing that was not signed."""
    path = _kept(data, "journal.jsonl")
    with redirect_stdout(io.StringIO()) as said:
        status = verify_journal.main([str(path)])
    assert status in (0, 1), said.getvalue()
    if status == 0:
        assert leaves(data) <= signed(), said.getvalue()


def leaves(data: bytes) -> set[str]:
    """Return the hashes of the entries that these lines hold."""
    return {leaf for line in data.strip().split(b"\n") if (leaf := json.loads(line).get("leaf"))}


@cache
def signed() -> frozenset[str]:
    """Return the hashes of the entries that were signed."""
    return frozenset(leaf for path in (_CORPUS / "journal").iterdir() for leaf in leaves(path.read_bytes()))


def heads(data: bytes) -> None:
    """Heads that were kept outside."""
    with suppress(MalformedFact):
        list(anchors_in(data, source="file"))
    with redirect_stdout(io.StringIO()):
        assert verify_journal.main([os.devnull, "--anchor", str(_kept(data, "heads.jsonl"))]) == 1


def proof(data: bytes) -> None:
    """The proof of an entry: what holds is about an entry that was signed."""
    with suppress(MalformedFact):
        known = proof_in(data, source="file")
        assert flaw_of(known) or known.leaf in signed()


def entry(data: bytes) -> None:
    """The text of an entry of the journal."""
    with suppress(MalformedFact):
        written(data)


def answer(data: bytes) -> None:
    """What a receiver answers about an adjustment: whatever it is, it is an answer."""
    answer_in(data, "adj_0")


def cursor(data: bytes) -> None:
    """Where a page ended: written again it leads to the same place."""
    with suppress(MalformedCursor):
        place = place_of(data.decode(errors="replace"))
        assert place is None or place_of(cursor_of(place)) == place


def token(data: bytes) -> None:
    """A token of the API."""
    with suppress(NotAToken):
        read(data.decode(errors="replace"))


def instant(data: bytes) -> None:
    """An instant that somebody wrote."""
    with suppress(Unreadable):
        an_instant(data.decode(errors="replace"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (
        *(snapshot, pushed, exports, prices, scenario, settings, variables, aliases),
        *(journal, heads, proof, entry, answer, cursor, token, instant),
    )
}
