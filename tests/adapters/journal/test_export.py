"""The exported journal is verified by a bare Python, without this program; what was tampered with is not."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - seeded

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.journal import SCRIPT, SigningKey, anchors_in, export, newest, sent
from gal_friday.adapters.journal import verify_journal as offline
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.facts import FactKind
from gal_friday.ports.errors import WorldFailed
from tests.adapters.journal.conftest import AT, Append, fact

FLIPS = 200


@pytest.fixture
async def lines(engine: AsyncEngine, append: Append) -> list[bytes]:
    """Give the lines of an export: three heads over fourteen entries."""
    for first in (0, 4, 8):
        await append(*(fact(first + number, account="main" if number else "other") for number in range(4)))
    return [line async for line in export(engine)]


def bare(file: Path, *options: str) -> tuple[int, str]:
    """Run the script as an auditor would, with nothing but Python."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(file), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return what runs the script's own code on these lines, in this process because it is quicker."""

    def ran(lines: Sequence[bytes], *options: str) -> tuple[int, str]:
        file = tmp_path / "journal.jsonl"
        file.write_bytes(b"".join(lines))
        return offline.main([str(file), *options]), capsys.readouterr().out

    return ran


Checked = Callable[..., tuple[int, str]]


def test_a_bare_python_verifies_the_export(lines: list[bytes], tmp_path: Path, key: SigningKey) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b"".join(lines))
    status, said = bare(file, "--key", key.id)
    assert (status, said.startswith("verified: journal jnl_"), "14 entries, 3 heads" in said) == (0, True, True), said
    file.write_bytes(b"".join(lines).replace(b"seen 5 times", b"seen 6 times"))
    status, said = bare(file)
    assert (status, said.startswith("BROKEN  entry 8: the hash is of another entry")) == (1, True), said


def test_the_script_says_how_it_is_used(tmp_path: Path) -> None:
    status, said = bare(tmp_path / "none.jsonl")
    assert (status, "No such file" in said) == (2, True)
    assert bare(tmp_path / "a", "b")[0] == 2


def test_any_flipped_bit_of_an_export_is_found(lines: list[bytes], checked: Checked) -> None:
    chance = Random(2)
    missed = []
    for _ in range(FLIPS):
        number = chance.randrange(1, len(lines))  # the header states nothing that the rest does not prove
        at = chance.randrange(len(lines[number]))
        changed = bytearray(lines[number])
        changed[at] ^= 1 << chance.randrange(8)
        status, said = checked([*lines[:number], bytes(changed), *lines[number + 1 :]])
        if not (status == 1 and said.startswith("BROKEN")):
            missed.append((number, at, bytes(changed)))
    assert missed == []


@pytest.mark.parametrize("cut", range(1, 17))
def test_an_export_that_was_cut_is_found(lines: list[bytes], checked: Checked, cut: int) -> None:
    status, said = checked(lines[:-cut])
    assert (status, "BROKEN" in said) == (1, True)


def test_entries_that_changed_places_are_found(lines: list[bytes], checked: Checked) -> None:
    assert checked([*lines[:3], lines[4], lines[3], *lines[5:]])[0] == 1


def test_a_signature_of_another_key_is_found(lines: list[bytes], checked: Checked) -> None:
    place, head = next((n, json.loads(line)) for n, line in enumerate(lines) if b'"head"' in line and n)
    signed = SigningKey.of(bytes(32)).sign(offline.text_of(head["head"]))
    forged = json.dumps(head | {"signature": signed}).encode() + b"\n"
    status, said = checked([*lines[:place], forged, *lines[place + 1 :]])
    assert (status, "head 1: the signature is not that of its key" in said) == (1, True)


def test_a_key_that_is_not_trusted_is_refused(lines: list[bytes], checked: Checked) -> None:
    status, said = checked(lines, "--key", "key_0000000000000000")
    assert (status, "a key that is not trusted" in said) == (1, True)


async def test_what_is_withheld_stands_as_its_leaf_and_the_rest_is_still_proven(
    engine: AsyncEngine, lines: list[bytes], checked: Checked
) -> None:
    some = [line async for line in export(engine, account="other")]
    assert b"main" not in b"".join(some[1:])
    assert len(some) == len(lines)
    status, said = checked(some)
    assert (status, "14 entries (9 of them withheld)" in said) == (0, True), said
    late = [line async for line in export(engine, since=AT + timedelta(days=1))]
    assert checked(late)[1].count("12 of them withheld") == 1


async def test_a_head_kept_outside_finds_a_shorter_and_another_journal(
    engine: AsyncEngine, lines: list[bytes], checked: Checked, append: Append, tmp_path: Path
) -> None:
    kept = await newest(engine)
    assert kept is not None
    assert await sent(kept, str(tmp_path / "heads.jsonl")) == "heads.jsonl"
    option = ("--anchor", str(tmp_path / "heads.jsonl"))
    assert checked(lines, *option)[0] == 0
    header = json.loads(lines[0]) | {"entries": 10, "heads": 2}
    shorter = [json.dumps(header).encode() + b"\n", *lines[1:13]]
    assert checked(shorter)[0] == 0, "nothing inside can tell"
    status, said = checked(shorter, *option)
    assert (status, "was cut" in said) == (1, True)


def test_the_script_verifies_what_the_library_signs() -> None:
    chance = Random(3)
    for _ in range(20):
        key, text = SigningKey.of(chance.randbytes(32)), chance.randbytes(chance.randrange(200))
        signature = bytes.fromhex(key.sign(text))
        assert offline.is_signed(key.public, text, signature)
        assert not offline.is_signed(key.public, text + b"x", signature)
        assert not offline.is_signed(key.public, text, signature[:-1] + bytes([signature[-1] ^ 1]))
        beyond = int.from_bytes(signature[32:], "little") + offline.ORDER  # RFC 8032, 5.1.7: S in its range
        assert not offline.is_signed(key.public, text, signature[:32] + beyond.to_bytes(33, "little")[:32])


@pytest.mark.parametrize(
    "public, message, signature",
    [  # RFC 8032, section 7.1, TEST 1 and TEST 2
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"  # noqa: ISC004 - one text
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"  # noqa: ISC004 - one text
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ],
)
def test_the_script_agrees_with_the_published_vectors(public: str, message: str, signature: str) -> None:
    arguments = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert offline.is_signed(*arguments)
    assert not offline.is_signed(arguments[0], arguments[1] + b"\0", arguments[2])


async def test_heads_outside_are_added_line_by_line_and_read_back(
    engine: AsyncEngine, append: Append, tmp_path: Path
) -> None:
    assert await newest(engine) is None
    for number in range(2):
        await append(fact(number, kind=FactKind.ALERT_SENT))
        kept = await newest(engine)
        assert kept is not None
        await sent(kept, str(tmp_path / "heads.jsonl"))
    found = list(anchors_in((tmp_path / "heads.jsonl").read_bytes(), source="heads.jsonl"))
    assert [(one.place, one.signed.head.size) for one in found] == [
        ("heads.jsonl, line 1", 3),
        ("heads.jsonl, line 2", 4),
    ]


async def test_a_place_that_does_not_take_the_head_is_named(
    engine: AsyncEngine, append: Append, tmp_path: Path
) -> None:
    await append(fact(1))
    kept = await newest(engine)
    assert kept is not None
    with pytest.raises(WorldFailed, match=r"did not take the head.*name another file"):
        await sent(kept, str(tmp_path / "none" / "heads.jsonl"))
    with pytest.raises(WorldFailed, match=r"^http://127.0.0.1 did not take the head \(ConnectError\); try again$"):
        await sent(kept, "http://user:secret@127.0.0.1:1/hook?token=secret")


@pytest.mark.parametrize("line", [b"x", b"{}", b"[]"])
def test_a_line_that_is_no_head_is_named(line: bytes) -> None:
    with pytest.raises(MalformedFact, match="heads, line 2: no anchored head"):
        list(anchors_in(b"\n" + line, source="heads"))


async def test_a_head_of_another_format_is_refused(engine: AsyncEngine, append: Append) -> None:
    await append(fact(1))
    kept = await newest(engine)
    assert kept is not None
    with pytest.raises(MalformedFact, match="'other' is not gal-friday/journal-head/1"):
        list(anchors_in(replace(kept, form="other").line(), source="heads"))


def test_a_field_that_stands_twice_is_refused(lines: list[bytes], checked: Checked) -> None:
    """Another reader may take the first of them, which nothing proves."""
    forged = lines[5].replace(b'{"', b'{"entry":"nothing happened","', 1)
    status, said = checked([*lines[:5], forged, *lines[6:]])
    assert (status, "a field stands twice" in said) == (1, True), said


@pytest.mark.parametrize("change", [bytes.upper, lambda leaf: leaf[:8] + b" " + leaf[8:]], ids=["capitals", "blank"])
async def test_a_hash_or_a_signature_in_another_spelling_is_refused(
    engine: AsyncEngine, lines: list[bytes], checked: Checked, change: Callable[[bytes], bytes]
) -> None:
    some = [line async for line in export(engine, account="other")]
    for field in ("leaf", "signature"):
        found = ((n, json.loads(line)) for n, line in enumerate(some) if n)
        number, value = next((n, line[field]) for n, line in found if field in line and "entry" not in line)
        changed = some[number].replace(value.encode(), change(value.encode()))
        status, said = checked([*some[:number], changed, *some[number + 1 :]])
        assert (status, "as it is written" in said) == (1, True), said


def test_nesting_without_end_is_no_export(lines: list[bytes], checked: Checked) -> None:
    for number in (0, 5):
        status, said = checked([*lines[:number], b'{"a":' * 100_000 + b"\n", *lines[number + 1 :]])
        assert (status, said.startswith("BROKEN")) == (1, True), said


def test_a_file_without_a_head_proves_nothing(lines: list[bytes], checked: Checked, tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    for content in (b"", b"\n \n"):
        file.write_bytes(content)
        status, said = checked(lines, "--anchor", str(file))
        assert (status, "no head is in it" in said) == (1, True), said
        with pytest.raises(MalformedFact, match="no head is in it"):
            list(anchors_in(content, source="heads.jsonl"))
