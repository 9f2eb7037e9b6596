"""Lists of names that are the answer to another question are refused: by them every name would be unknown."""

import pytest

from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.ports.errors import ExchangeMalformed
from tests.flows.worlds import world


@pytest.mark.parametrize("endpoint", ["Assets", "AssetPairs"])
async def test_the_list_of_the_question_before_is_not_taken_for_the_one_that_was_asked_for(endpoint: str) -> None:
    async with world() as account:
        await account.sources.exchange.open()
        account.server.faults.switch_on("page_repeated", endpoint=endpoint)
        with pytest.raises(ExchangeMalformed, match="do not belong together"):
            await account.sources.exchange.open()


@pytest.mark.parametrize("endpoint", ["Assets", "AssetPairs"])
async def test_the_list_of_all_is_not_taken_for_that_of_tokenized_ones(endpoint: str) -> None:
    async with world() as account:
        account.server.faults.switch_on("page_repeated", endpoint=endpoint, after=1)
        with pytest.raises(ExchangeMalformed, match="do not belong together"):
            await account.sources.exchange.open()


async def test_a_run_says_so_and_reports_no_discrepancy() -> None:
    async with world() as account:
        await account.sources.exchange.open()
        account.server.faults.switch_on("page_repeated", endpoint="AssetPairs")
        report = await account.run()
    assert report.status is ReconciliationStatus.FAILED or not report.discrepancies
