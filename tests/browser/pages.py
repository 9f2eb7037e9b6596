"""Every page of the dashboard, as one table: what its pictures show, and what is checked on all of them."""

from msgspec import Struct

from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.followed import Followed
from tests.browser.conftest import House


class Shown(Struct, frozen=True):
    """One page in one state."""

    name: str
    """Of its pictures."""
    route: str
    """As the dashboard declares it; what stands in braces, here and in the query, is filled in from ``places``."""
    query: str = ""
    in_readme: bool = False

    def path(self, places: dict[str, str]) -> str:
        """Return where it is."""
        return (self.route + self.query).format_map(places)


PAGES = (
    Shown("overview", "/", in_readme=True),
    Shown("accounts", "/accounts"),
    Shown("account", "/accounts/{name}"),
    Shown("discrepancies", "/discrepancies"),
    Shown("causes", "/discrepancies", "?group=cause", in_readme=True),
    Shown("discrepancy", "/discrepancies/{discrepancy_id}", in_readme=True),
    Shown("history", "/history"),
    Shown("adjustments", "/adjustments"),
    Shown("runs", "/runs"),
    Shown("run", "/runs/{reconciliation_id}"),
    Shown("two-reports", "/runs/compare", "?b={reconciliation_id}"),
    Shown("journal", "/journal"),
    Shown("journal-entry", "/journal/{seq}"),
    Shown("journal-heads", "/journal/heads"),
    Shown("policy", "/policy"),
    Shown("policy-check", "/policy/check", "?asked=yes&mode=enforce"),
    Shown("you", "/you"),
    Shown("sign-in", "/sign-in"),
)


async def places(house: House) -> dict[str, str]:
    """Return what stands for the names in routes: of each kind of thing the one that shows most."""
    opened = house.serving.service.opened
    # A second run, so that two reports can stand side by side.
    await house.serving.service.run_reconciliation("main")
    reports = await opened.store.reports(account="main", limit=1)
    return {
        "name": "main",
        "discrepancy_id": (await _most_telling(house)).id,
        "reconciliation_id": reports[0].reconciliation_id,
        "seq": "1",
    }


async def _most_telling(house: House) -> Followed:
    """Return the most valuable discrepancy that waits for approval and whose records show where the sides parted."""
    waiting = await house.serving.service.opened.adjustments.adjustments(states=[AdjustmentState.PROPOSED])
    repaired = {each for one in waiting for each in one.adjustment.discrepancies}
    found = [one for one in await house.open_ones() if one.id in repaired]
    return max(found, key=lambda one: (_shows_where(one), one.latest.value or 0))


def _shows_where(one: Followed) -> bool:
    bridge = getattr(one.latest, "bridge", None)
    return bridge is not None and bridge.divergence is not None
