"""What somebody wants to see of the queue: read from an address, written into one, and held against each row.

An address says all of it, so that a link shows what whoever made it saw. Reads nothing itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query
from msgspec import Struct
from msgspec.structs import asdict

from gal_friday.domain import words
from gal_friday.domain.assets import Instrument, base_and_quote
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, PositionDiscrepancy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.materiality import Severity
from gal_friday.domain.review import ReviewState
from gal_friday.ports.pages import Chosen
from gal_friday.web.rows import Row

NOBODY = "-"
"""Asks for what nobody is to look at."""
WAITING = "to decide"
"""Asks for what an adjustment is proposed for; not where four eyes keep whoever asks from approving it."""
AGES = {
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
REVIEWS = (WAITING, *(one.value for one in ReviewState))

Text = Annotated[str, Query(max_length=200)]
_Sort = Literal["severity", "-severity", "name", "-name", "worth", "-worth", "since", "-since"]
_Review = Literal["", "to decide", "open", "accepted", "disputed", "snoozed", "closed"]


class Filter(Struct, frozen=True, kw_only=True):
    """The choices of an address; without any, what is open, the gravest first."""

    q: str = ""
    """Words, all of which have to be somewhere in a row."""
    account: str = ""
    severity: str = ""
    type: str = ""
    asset: str = ""
    cause: str = ""
    state: str = ""
    """What runs see."""
    review: str = ""
    """What people decided."""
    assignee: str = ""
    age: str = ""
    """Wrong for at least so long."""
    sort: str = "severity"
    group: str = ""
    open: str = ""
    """The groups that are unfolded, by their marks."""

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q) or self.narrows_further

    @property
    def narrows_further(self) -> bool:
        """Whether anything is left out by more than its words."""
        return any((self.account, self.severity, self.type, self.asset, self.cause, self.state, self.review,
                    self.assignee, self.age))  # fmt: skip

    @property
    def unfolded(self) -> frozenset[str]:
        """The marks of the groups whose rows are shown."""
        return frozenset(self.open.split(","))

    def cleared(self) -> "Filter":
        """Return what leaves nothing out, in the same order and groups."""
        return Filter(sort=self.sort, group=self.group)

    def chosen(self) -> Chosen:
        """Return the part of it that the database knows."""
        return Chosen(
            cleared=self.state == "cleared",
            types=frozenset(one for one in DiscrepancyType if one == self.type),
            severities=frozenset(one for one in Severity if one == self.severity),
            states=frozenset({self.state} if self.state else ()),
        )

    def address(self, path: str = "/discrepancies", **other: str | int) -> str:
        """Return the address of this choice, with *other* ones in place of some."""
        said = {name: value for name, value in (asdict(self) | other).items() if value}
        if said.get("sort") == "severity":
            del said["sort"]
        return f"{path}?{urlencode(said)}" if said else path

    def holds(self, row: Row, now: datetime, name: str) -> bool:
        """Say whether a row is wanted by who has this name. What the database knows is taken for granted."""
        followed = row.followed
        return (
            (not self.cause or self.cause == (row.cause or "not known"))
            and (not self.assignee or (row.assignee or NOBODY) == self.assignee)
            and (not self.review or (row.is_for(name) if self.review == WAITING else row.review.state == self.review))
            and (not self.age or now - followed.since >= AGES[self.age])
            and (not self.asset or self.asset.casefold() in (one.casefold() for one in assets_of(followed.latest)))
            and all(word in row.said for word in self.q.casefold().split())
        )


def filter_of(
    q: Text = "",
    account: Text = "",
    severity: Severity | Literal[""] = "",
    type: DiscrepancyType | Literal[""] = "",  # noqa: A002 - its name in the address
    asset: Text = "",
    cause: Text = "",
    state: Literal["", "suspected", "confirmed", "cleared"] = "",
    review: _Review = "",
    assignee: Text = "",
    age: Literal["", "1h", "1d", "7d", "30d"] = "",
    sort: _Sort = "severity",
    group: Literal["", "cause"] = "",
    open: Annotated[str, Query(max_length=2000)] = "",  # noqa: A002 - its name in the address
) -> Filter:
    """Return what an address asks for."""
    return Filter(
        q=q.strip(),
        account=account,
        severity=str(severity),
        type=str(type),
        asset=asset.strip(),
        cause=cause,
        state=state,
        review=review,
        assignee=assignee,
        age=age,
        sort=sort,
        group=group,
        open=open if group else "",
    )


def assets_of(one: Discrepancy) -> Iterable[str]:
    """Return the assets that a discrepancy is about."""
    match one:
        case BalanceDiscrepancy():
            return (one.currency,)
        case PositionDiscrepancy():
            return base_and_quote(Instrument(one.trading_pair)) or (one.trading_pair,)
        case _:
            return base_and_quote(Instrument(one.about)) or (one.about,)


def said_of(one: Discrepancy, *more: str) -> str:
    """Return every word that a row can be found by, in small letters."""
    own = (one.id, one.key, words.what(one), words.where(one), one.cause or "", one.explanation or "")
    return "\n".join((*own, *more)).casefold()
