"""The queue by root cause: what one event shows itself in stands under it, and is worth what the event is worth, once.

Which keys an event shows itself in is what the newest reports say; nothing is guessed here. A balance that several
events lead to stands for itself and names them: what it is worth is theirs already.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from gal_friday.domain import quantity, words
from gal_friday.domain.followed import Followed
from gal_friday.domain.ids import digest
from gal_friday.domain.materiality import Severity, more_severe
from gal_friday.domain.quantity import ZERO
from gal_friday.ports.pages import Listed
from gal_friday.web.filters import Filter
from gal_friday.web.rows import Row

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_MARK = 10


class Root(Struct, frozen=True, kw_only=True):
    """An event that went wrong, as a report has it."""

    mark: str
    """Names it in addresses and on the page."""
    account: str
    cause: str
    note: str
    value: Decimal | None


Roots = Mapping[tuple[str, str], tuple[Root, ...]]
"""By account and key."""


class Group(Struct, frozen=True, kw_only=True):
    """A cause with the rows that come from it, or a row that stands for itself."""

    mark: str
    cause: str
    note: str
    account: str
    value: Decimal | None
    rows: tuple[Row, ...]
    of: tuple[Root, ...] = ()
    """The causes that its row comes from together; what it is worth is theirs."""

    @property
    def severity(self) -> Severity:
        """The worst of its rows."""
        return more_severe(*(row.followed.severity for row in self.rows))

    @property
    def since(self) -> datetime:
        """When the first of its rows began to be wrong."""
        return min(row.followed.since for row in self.rows)

    @property
    def waits(self) -> bool:
        """Whether an adjustment is proposed for any of its rows."""
        return any(row.waits for row in self.rows)

    @property
    def first(self) -> Row:
        """The row that tells most of it: one to decide about if there is any, and one with a bridge if there is any."""
        some = [row for row in self.rows if row.waits] or self.rows
        return next((row for row in some if getattr(row.followed.latest, "bridge", None)), some[0])

    @property
    def taken_back(self) -> bool:
        """Whether all that waits for a decision is to take earlier repairs back."""
        return self.waits and all(row.taken_back for row in self.rows if row.waits)

    @property
    def is_repaired(self) -> bool:
        """Whether the repairs of all its rows are in the book, and the next run sees whether both sides agree."""
        return all(row.is_repaired for row in self.rows)

    @property
    def unexplained(self) -> bool:
        """Whether no record stands behind an adjustment that is proposed for any of its rows."""
        return any(one.adjustment.is_plug for row in self.rows for one in row.proposed)

    @property
    def name(self) -> str:
        """What the first of its rows is about."""
        return min(words.where(row.followed.latest) for row in self.rows)


class _Run(Struct):
    account: str
    root_causes: tuple["_Cause", ...] = ()


class _Cause(Struct):
    cause: str
    event: str
    note: str
    symptoms: tuple[str, ...] = ()
    value: Decimal | None = None


def roots_of(reports: Iterable[Listed]) -> Roots:
    """Return what each key comes from: as the newest of these reports has it that names the key, the newest first."""
    found: dict[tuple[str, str], tuple[Root, ...]] = {}
    for listed in reports:
        here: dict[tuple[str, str], tuple[Root, ...]] = {}
        run = msgspec.json.decode(listed.summary, type=_Run)
        for one in run.root_causes:
            mark = _mark(run.account, one.event)
            root = Root(mark=mark, account=run.account, cause=one.cause, note=one.note, value=one.value)
            for key in one.symptoms:
                here[run.account, key] = (*here.get((run.account, key), ()), root)
        found = here | found
    return found


def grouped(rows: Iterable[Row], roots: Roots) -> Sequence[Group]:
    """Return every row under its cause, in no particular order."""
    groups: dict[str, Group] = {}
    for row in rows:
        made = _group(row, roots.get((row.followed.account, row.followed.latest.key), ()))
        known = groups.get(made.mark)
        groups[made.mark] = made if known is None else msgspec.structs.replace(known, rows=(*known.rows, row))
    return tuple(groups.values())


def of_same_cause(one: Followed, others: Iterable[Followed], roots: Roots) -> Sequence[Followed]:
    """Return the others that come from an event which this discrepancy comes from too, by what they are about."""

    def events(each: Followed) -> set[str]:
        return {root.mark for root in roots.get((each.account, each.latest.key), ())}

    found = [each for each in others if each.id != one.id and events(each) & events(one)]
    return sorted(found, key=lambda each: (words.where(each.latest), each.id))


def in_order(groups: Iterable[Group], wanted: Filter) -> Sequence[Group]:
    """Return groups, and the rows of each, in the order that was chosen."""
    ordered = sorted(groups, key=_GROUP_KEYS[wanted.sort.lstrip("-")])
    if wanted.sort.startswith("-"):
        ordered.reverse()
    return [msgspec.structs.replace(one, rows=tuple(rows_in_order(one.rows, wanted))) for one in ordered]


def rows_in_order(rows: Iterable[Row], wanted: Filter) -> Sequence[Row]:
    """Return rows in the order that was chosen."""
    ordered = sorted(rows, key=_ROW_KEYS[wanted.sort.lstrip("-")])
    if wanted.sort.startswith("-"):
        ordered.reverse()
    return ordered


def worth_of(groups: Iterable[Group]) -> Decimal:
    """Return what groups are worth together: each cause once, and what has no price not at all."""
    return quantity.total([one.value for one in groups if one.value is not None and not one.of])


def _group(row: Row, roots: Sequence[Root]) -> Group:
    account, latest = row.followed.account, row.followed.latest
    if len(roots) == 1:
        (root,) = roots
        return Group(
            mark=root.mark, cause=root.cause, note=root.note, account=account, value=root.value, rows=(row,)
        )  # fmt: skip
    note = latest.explanation or ""
    if roots:
        names = ", ".join(dict.fromkeys(root.cause.replace("_", " ") for root in roots))
        note = f"{words.where(latest)}: {len(roots)} events lead to it together ({names}), and are valued as theirs"
    cause = "several causes" if roots else row.cause or "not known"
    mark = _mark(account, row.followed.id)
    return Group(mark=mark, cause=cause, note=note, account=account, value=latest.value, rows=(row,), of=tuple(roots))


def _mark(account: str, event: str) -> str:
    return digest(account, event)[:_MARK]


def _least(value: Decimal | None) -> tuple[bool, Decimal]:
    """Return what puts the most valuable first, and what has no price last."""
    return (value is None, quantity.negate(value or ZERO))


_ROW_KEYS: dict[str, Callable[[Row], Any]] = {
    "severity": lambda row: (
        not row.followed.is_open,
        -_RANKS[row.followed.severity],
        _least(row.value),
        row.followed.id,
    ),
    "name": lambda row: (words.where(row.followed.latest), row.followed.id),
    "worth": lambda row: (_least(row.value), row.followed.id),
    "since": lambda row: (row.followed.since, row.followed.id),
}
_GROUP_KEYS: dict[str, Callable[[Group], Any]] = {
    "severity": lambda one: (-_RANKS[one.severity], _least(one.value), one.mark),
    "name": lambda one: (one.name, one.mark),
    "worth": lambda one: (_least(one.value), one.mark),
    "since": lambda one: (one.since, one.mark),
}
