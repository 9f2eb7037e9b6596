"""Export files that are damaged, locked, or made to harm: refused as what they are, with the way out."""

import zipfile
from pathlib import Path

import pytest

from gal_friday.adapters.kraken import MalformedExport, read_exports
from gal_friday.adapters.kraken import exports as reader

COLUMNS = ("txid", "refid", "time", "type", "asset", "amount", "fee", "balance")
ROW = {"txid": "L1", "refid": "R1", "time": "2026-03-01 12:00:00", "type": "deposit", "asset": "XXBT"}
ROW |= {"amount": "5", "fee": "0", "balance": "5"}


def table(**changes: str) -> str:
    row = ROW | changes
    return ",".join(COLUMNS) + "\n" + ",".join(f'"{row[column]}"' for column in COLUMNS) + "\n"


def packed(path: Path, text: str, method: int = zipfile.ZIP_DEFLATED, name: str = "ledgers.csv") -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(MalformedExport) as wrong:
        read_exports(path)
    assert "export it from Kraken again" in str(wrong.value)
    return str(wrong.value)


@pytest.mark.parametrize("column", ["txid", "refid", "type", "asset"])
@pytest.mark.parametrize("value", ["a\x1b[2Jb", "a\nb", "a\0b", "a\u202eb"], ids=["escape", "line", "nul", "reversed"])
def test_a_name_that_cannot_be_printed_never_enters_a_book(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / "ledgers.csv"
    path.write_text(table(**{column: value}), newline="")
    assert f"line 2, column '{column}'" in refused(path)


def test_an_id_of_any_length_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ledgers.csv"
    path.write_text(table(txid="L" * 129))
    assert "column txid: this is no id" in refused(path)


def test_every_damage_to_an_archive_is_refused_and_none_is_taken_for_a_defect(tmp_path: Path) -> None:
    whole = packed(tmp_path / "whole.zip", table())
    known = read_exports(whole)
    data = whole.read_bytes()
    broken = tmp_path / "broken.zip"
    for place in range(4, len(data)):
        broken.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            assert read_exports(broken) == known
        except MalformedExport:
            continue


def test_an_archive_with_a_password_says_so(tmp_path: Path) -> None:
    path = packed(tmp_path / "export.zip", table())
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "is encrypted" in refused(path)


def test_an_archive_packed_as_no_export_is_refused(tmp_path: Path) -> None:
    assert "packed in a way" in refused(packed(tmp_path / "export.zip", table(), zipfile.ZIP_BZIP2))


def test_an_archive_that_unpacks_to_absurd_size_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_SMALL", 1 << 20)
    bomb = packed(tmp_path / "export.zip", table() + "\n" * (1 << 21))
    assert "more than any export" in refused(bomb)
    # The same ratio is nothing to worry about in a small file.
    assert len(read_exports(packed(tmp_path / "small.zip", table() + "\n" * (1 << 18))).movements) == 1


def test_what_a_mac_packs_beside_the_export_and_capitals_are_no_obstacle(tmp_path: Path) -> None:
    path = packed(tmp_path / "export.zip", table(), name="LEDGERS.CSV")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._LEDGERS.CSV", b"\x00\x05\x16\x07\xff")
    assert len(read_exports(path).movements) == 1


@pytest.mark.parametrize("data", [table().encode("utf-16"), table(asset="XR\u00e9").encode("latin1"), b"%PDF-1.4\xff"])
def test_what_is_no_utf_8_is_said_to_be_that(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "ledgers.csv"
    path.write_bytes(data)
    assert "not UTF-8" in refused(path)
