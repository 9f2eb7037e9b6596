"""Two tables that were compared, as one page that needs nothing beside it: no script, no server, no other file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from importlib.resources import files

from markupsafe import Markup
from msgspec import UNSET, Struct, UnsetType

from gal_friday.bulk.day_over_day import DayOverDay
from gal_friday.bulk.rows import Rejected, Total, Totals
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.weighed import Weighed
from gal_friday.domain import quantity, words
from gal_friday.domain.snapshot import Side
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.reconcile_many import Outcome
from gal_friday.web.manner import AS_RECORDED
from gal_friday.web.rendering import TEMPLATES

_SHOWN = 500
"""Of assets."""
_NONE = Total()


class About(Struct, frozen=True, kw_only=True):
    """What was compared, when, and in which currency it is valued."""

    names: Mapping[Side, str]
    exchange: str
    at: datetime
    seconds: float
    currency: str


class Control(Struct, frozen=True):
    """What both sides have of one asset, amounts without trailing zeros."""

    asset: str
    rows: Mapping[Side, int]
    sums: Mapping[Side, Decimal]
    difference: Decimal
    digests: Mapping[Side, Decimal | UnsetType]


def page(outcome: Outcome, weighed: Weighed, refused: Sequence[Rejected], turn: DayOverDay | None, about: About) -> str:
    """Return the page; *refused* are the first of the rows that cannot be read."""
    assets = sorted(_controls(outcome.totals), key=lambda one: (not one.difference, one.asset))
    told = {
        "outcome": outcome,
        "about": about,
        "css": Markup(files("gal_friday.web").joinpath("static/page.css").read_text(encoding="utf-8")),  # noqa: S704
        "headline": _headline(outcome),
        "count": _count,
        "took": words.seconds(about.seconds),
        "whole": weighed.all,
        "types": [(words.sort_of(name), share) for name, share in weighed.types()],
        "causes": weighed.causes(),
        "accounts": weighed.accounts(),
        "whole_accounts": weighed.unlike,
        "largest": weighed.largest(),
        "assets": assets[:_SHOWN],
        "digests": any(value is not UNSET for one in assets for value in one.digests.values()),
        "more_assets": max(0, len(assets) - _SHOWN),
        "refused": refused,
        "turn": turn,
        "near": outcome.near.most_common(),
    }
    return TEMPLATES.get_template("tables.html").render(told)


def _controls(totals: Mapping[Side, Totals]) -> Iterable[Control]:
    for asset in {asset for side in SIDES for asset in totals[side]}:
        both = {side: totals[side].get(asset, _NONE) for side in SIDES}
        difference = quantity.subtract(both["exchange"].amount, both["internal"].amount)
        rows, sums = (
            {side: one.rows for side, one in both.items()},
            {side: _short(one.amount) for side, one in both.items()},
        )
        digests = {side: one.digest for side, one in both.items()}
        yield Control(asset, rows, sums, _short(difference), digests)


def _short(amount: Decimal) -> Decimal:
    return quantity.reread(quantity.short(amount))


def _headline(outcome: Outcome) -> str:
    found = f"{_count(outcome.discrepancies)} discrepanc{'y' if outcome.discrepancies == 1 else 'ies'}"
    keys = _count(outcome.keys)
    match outcome.verdict:
        case Verdict.RECONCILED:
            return f"All {keys} balances agree"
        case Verdict.DISCREPANCIES:
            return f"{found} in {keys} balances"
        case _:
            return f"Not all was checked; {found} in {keys} balances"


def _count(many: int) -> str:
    return f"{many:,}".replace(",", AS_RECORDED.numbers.group)
