"""Kraken's own files: found by header, exact, and refused with file, line and column."""

import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gal_friday.adapters.kraken import MalformedExport, read_exports
from gal_friday.adapters.simulated import scenarios
from gal_friday.domain.assets import Wallet
from gal_friday.domain.chain import gaps_of

LEDGERS = (
    '"txid","refid","time","type","subtype","aclass","asset","amount","fee","balance"\n'
    '"L1","TAAAAA","2026-03-01 12:00:00.1234","trade","","currency","ZUSD","-600.2000","0.9603","9398.8397"\n'
    '"L2","TAAAAA","2026-03-01 12:00:00.1234","trade","","currency","XXBT","0.0200000000","0.0000000000","0.02"\n'
)
TRADES = (
    '"txid","ordertxid","pair","time","type","ordertype","price","cost","fee","vol","margin","misc","ledgers"\n'
    '"TAAAAA","OAAAAA","XXBTZUSD","2026-03-01 12:00:00.1234","buy","limit",'
    '"30010.0","600.2","0.9","0.02","0.0","","L1,L2"\n'
)


def file(folder: Path, text: str, name: str = "ledgers.csv") -> Path:
    path = folder / name
    path.write_text(text, newline="")
    return path


def test_both_files_together_are_fills_with_the_ledgers_fees(tmp_path: Path) -> None:
    found = read_exports(file(tmp_path, LEDGERS), file(tmp_path, TRADES, "trades.csv"))
    (fill,) = found.fills
    assert (fill.fill_id, fill.instrument, fill.fee, fill.fee_asset) == (
        "TAAAAA", "BTC/USD", Decimal("0.9603"), "USD",
    )  # fmt: skip
    assert fill.at == datetime(2026, 3, 1, 12, 0, 0, 123400, tzinfo=UTC)
    assert [row.movement_id for row in found.movements] == ["L1", "L2"]
    assert found.notes == ()


def test_columns_are_found_by_header_wherever_they_stand(tmp_path: Path) -> None:
    text = "balance,novelty,amount,fee,asset,type,time,refid,txid\n5,x,5,0,XXBT,deposit,2026-03-01 12:00:00,R1,L1\n"
    (row,) = read_exports(file(tmp_path, text)).movements
    assert (row.asset, row.amount, row.balance_after) == ("BTC", Decimal(5), Decimal(5))
    assert row.extra == {"type": "deposit", "novelty": "x"}


def test_a_zip_holds_the_same_as_its_files(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ledgers.csv", LEDGERS)
        archive.writestr("trades.csv", TRADES)
    assert read_exports(path) == read_exports(file(tmp_path, LEDGERS), file(tmp_path, TRADES, "trades.csv"))


@pytest.mark.parametrize("modern", [False, True])
def test_everything_the_simulated_exchange_exports_is_read_and_chains(tmp_path: Path, modern: bool) -> None:
    scene = scenarios.quiet(1)
    account = scene.exchange.account("main")
    found = read_exports(
        file(tmp_path, scene.exchange.ledgers_csv("main", modern=modern)),
        file(tmp_path, scene.exchange.trades_csv("main", modern=modern), "trades.csv"),
    )
    assert [row.movement_id for row in found.movements] == [row.id for row in account.ledger.rows]
    assert [row.fill_id for row in found.fills] == [row.id for row in account.trades.rows]
    assert gaps_of(found.movements) == ()


@pytest.mark.parametrize(
    "asset, label, wallet",
    [
        ("XXBT", "spot / main", Wallet.SPOT),
        ("BTC", "earn / bonded", Wallet.BONDED),
        ("BTC", "earn / flexible", Wallet.EARN),
        ("EUR", "spot / hold", Wallet.HELD),
        ("XBT.F", "earn / flexible", Wallet.SPOT),
        ("XBT.M", "spot / main", Wallet.EARN),
    ],
)
def test_the_wallet_is_told_by_suffix_or_label(tmp_path: Path, asset: str, label: str, wallet: Wallet) -> None:
    text = (
        "txid,refid,time,type,asset,wallet,amount,fee,balance\n"
        f"L1,R1,2026-03-01 12:00:00,deposit,{asset},{label},5,0,5\n"
    )
    (row,) = read_exports(file(tmp_path, text)).movements
    assert row.wallet is wallet


def test_an_unknown_wallet_is_noted(tmp_path: Path) -> None:
    text = (
        "txid,refid,time,type,asset,wallet,amount,fee,balance\n"
        "L1,R1,2026-03-01 12:00:00,deposit,BTC,moon / base,5,0,5\n"
    )
    assert "moon / base" in read_exports(file(tmp_path, text)).notes[0]


def test_a_row_that_kraken_has_not_booked_yet_is_counted_and_left_out(tmp_path: Path) -> None:
    text = LEDGERS + '"","R9","2026-03-01 12:00:01","deposit","","currency","ZUSD","5","0",""\n'
    found = read_exports(file(tmp_path, text))
    assert len(found.movements) == 2
    assert "(1 rows)" in found.notes[0]


def test_a_row_listed_twice_counts_once_and_is_noted(tmp_path: Path) -> None:
    path = file(tmp_path, LEDGERS)
    found = read_exports(path, path)
    assert len(found.movements) == 2
    assert "listed twice" in found.notes[0]


def test_one_id_with_two_contents_is_refused(tmp_path: Path) -> None:
    other = LEDGERS.replace("-600.2000", "-600.2001")
    with pytest.raises(MalformedExport, match="L1 stands twice"):
        read_exports(file(tmp_path, LEDGERS), file(tmp_path, other, "again.csv"))


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('"-600.2000"', '"six"', "ledgers.csv, line 2, row L1, field amount"),
        ('"-600.2000"', '""', "line 2, row L1, field amount"),
        ('"-600.2000"', '"NaN"', "line 2, row L1, field amount"),
        ('"0.02"\n', '"0,02"\n', "line 3, row L2, field balance"),
        ('"2026-03-01 12:00:00.1234"', '"1 March"', "line 2, row L1, field time"),
        ('"ZUSD",', "", "line 2: 9 values under 10 columns"),
        ('"txid"', '"id"', "neither Kraken's ledgers.csv nor its trades.csv"),
        ('"refid"', '"txid"', "a column stands twice"),
        ('"L1"', '"L1', "line"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(MalformedExport, match=message):
        read_exports(file(tmp_path, LEDGERS.replace(old, new, 1)))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PK\x03\x04 no archive", b"just words\n"])
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(MalformedExport, match=r"odd\.csv"):
        read_exports(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedExport, match=r"absent\.csv"):
        read_exports(tmp_path / "absent.csv")


def test_an_archive_without_tables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(MalformedExport, match="no CSV"):
        read_exports(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(LEDGERS)), noise=st.binary(max_size=12))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, place: int, noise: bytes) -> None:
    path = tmp_path / "ledgers.csv"
    path.write_bytes(LEDGERS.encode()[:place] + noise + LEDGERS.encode()[place + 5 :])
    with suppress(MalformedExport):
        read_exports(path)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert len(read_exports(file(tmp_path, "\ufeff" + LEDGERS)).movements) == 2
