"""Nothing here can write to an exchange (I8)."""

import re
from pathlib import Path

import pytest

import gal_friday.adapters.kraken as package
from gal_friday.adapters.kraken import endpoints
from gal_friday.adapters.kraken.endpoints import FORBIDDEN_RIGHTS, READS, Endpoint, NotARead
from tests.adapters.kraken.script import Connection, ok

# Every call of Kraken's that changes something (Kraken REST documentation).
WRITES = (
    "AddOrder",
    "AddOrderBatch",
    "AmendOrder",
    "EditOrder",
    "CancelOrder",
    "CancelOrderBatch",
    "CancelAll",
    "CancelAllOrdersAfter",
    "Withdraw",
    "WithdrawCancel",
    "WalletTransfer",
    "AccountTransfer",
    "CreateSubaccount",
    "Earn/Allocate",
    "Earn/Deallocate",
    "Stake",
    "Unstake",
    "DepositAddresses",
    "AddExport",
    "RemoveExport",
)

SOURCES = sorted(Path(str(package.__file__)).parent.glob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.name))
def test_no_source_names_a_call_that_writes(source: Path) -> None:
    text = source.read_text()
    assert not [name for name in WRITES if re.search(rf"\b{re.escape(name)}\b", text)]


def test_paths_are_made_in_one_place_only() -> None:
    assert [path.name for path in SOURCES if "/0/" in path.read_text()] == ["endpoints.py"]


def test_the_list_of_reads_is_complete_and_holds_reads_only() -> None:
    listed = {value for value in vars(endpoints).values() if isinstance(value, Endpoint)}
    assert listed == READS
    assert not {read.name for read in READS} & set(WRITES)
    assert not {read.right for read in READS} & set(FORBIDDEN_RIGHTS)


@pytest.mark.parametrize("name", WRITES)
async def test_a_call_that_is_not_on_the_list_never_leaves_the_machine(kraken: Connection, name: str) -> None:
    kraken.script.says(ok({}))
    with pytest.raises(NotARead):
        await kraken.client.call(Endpoint(name))
    assert not kraken.script.requests


async def test_a_read_that_pretends_to_cost_nothing_is_not_on_the_list(kraken: Connection) -> None:
    kraken.script.says(ok({}))
    with pytest.raises(NotARead):
        await kraken.client.call(Endpoint("Ledgers", cost=0))
