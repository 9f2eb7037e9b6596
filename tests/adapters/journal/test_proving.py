"""The proof of one entry as a file: it holds for every entry, and for nothing that was changed; two programs agree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.journal import SigningKey, SqlJournalReading, anchors_in, flaw_of, newest, proof_in
from gal_friday.adapters.journal import verify_journal as offline
from gal_friday.domain.errors import MalformedFact
from gal_friday.ports.journal_reading import PROOF_FORMAT
from tests.adapters.journal.conftest import Append, fact

File = dict[str, Any]


@pytest.fixture
async def files(engine: AsyncEngine, append: Append) -> list[File]:
    """Give the proof of every entry of a journal of nine."""
    for first in (0, 3):
        await append(*(fact(first + number) for number in range(3 if first else 4)))
    reader = SqlJournalReading(engine)
    proofs = [await reader.proof(seq) for seq in range(1, await reader.newest() + 1)]
    return [{"format": PROOF_FORMAT, **json.loads(msgspec.json.encode(one))} for one in proofs]


def both(file: File, tmp_path: Path, *options: str) -> tuple[bool, bool]:
    """Return what this program and the script say of a proof."""
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(file))
    here = flaw_of(proof_in(path.read_bytes(), source="proof.json"), [one for one in options if one[:4] == "key_"])
    return not here, offline.main([str(path), *options]) == 0


async def test_every_entry_is_proven_to_both_programs(
    files: list[File], engine: AsyncEngine, key: SigningKey, tmp_path: Path
) -> None:
    kept = await newest(engine)
    assert kept is not None
    (tmp_path / "heads.jsonl").write_bytes(kept.line())
    assert len(files) == 9
    for file in files:
        assert both(file, tmp_path, "--key", key.id, "--anchor", str(tmp_path / "heads.jsonl")) == (True, True)


def tampered(file: File) -> Iterator[File]:
    """Yield the proof with each of its parts changed."""
    flip = {"0": "1", "1": "0"}
    for name in ("seq", "index", "size"):
        yield file | {name: file[name] + 1}
    yield file | {"entry": file["entry"].replace("system", "sistem")}
    yield file | {"path": file["path"][:-1]}
    yield file | {"path": [*file["path"], file["leaf"]]}
    for at, step in enumerate(file["path"]):
        changed = flip.get(step[0], "0") + step[1:]
        yield file | {"path": [*file["path"][:at], changed, *file["path"][at + 1 :]]}
    for name in ("root", "at", "key", "journal"):
        head = file["signed"]["head"]
        yield file | {"signed": file["signed"] | {"head": head | {name: flip.get(head[name][0], "0") + head[name][1:]}}}
    signature = file["signed"]["signature"]
    yield file | {"signed": file["signed"] | {"signature": flip.get(signature[0], "0") + signature[1:]}}
    yield file | {"public_key": "00" * 32}


async def test_whatever_is_changed_proves_nothing(files: list[File], tmp_path: Path) -> None:
    for number, file in enumerate(tampered(files[4])):
        assert both(file, tmp_path) == (False, False), number


async def test_a_key_that_nobody_trusts_proves_nothing(files: list[File], tmp_path: Path) -> None:
    assert both(files[0], tmp_path, "--key", "key_0000000000000000") == (False, False)


async def test_a_head_that_is_not_among_those_kept_outside_proves_nothing(
    files: list[File], engine: AsyncEngine, append: Append, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await append(fact(99))
    kept = await newest(engine)
    assert kept is not None
    heads = tmp_path / "heads.jsonl"
    heads.write_bytes(kept.line())
    assert len(list(anchors_in(heads.read_bytes(), source="heads"))) == 1
    assert both(files[0], tmp_path, "--anchor", str(heads)) == (True, False)
    assert "not among those kept outside" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'{"format": "x"}', b'{"format": "gal-friday/journal-proof/1"}']
)
def test_what_is_no_proof_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(MalformedFact, match=r"proof\.json"):
        proof_in(content, source="proof.json")
