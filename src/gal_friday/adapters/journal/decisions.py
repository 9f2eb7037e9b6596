"""Adjustments and reviews, held against the facts that were sealed with them, and the other way round.

Each step has a row that is only ever added, and its fact; beside them stands a row that says where it all led to, which
is what is read, applied and listed. Both are held against the facts, so that nobody approves by editing a row.
"""

import asyncio
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.journal.inspection import Flaw
from gal_friday.adapters.journal.rows import in_parts
from gal_friday.adapters.journal.told import Facts, digest, instant, met, nothing_left, read_as, text
from gal_friday.adapters.sql.tables import ADJUSTMENT_CHANGES, ADJUSTMENTS, REVIEW_CHANGES, REVIEWS
from gal_friday.domain.adjusted import RENEWABLE
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.canonical import canonical
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import Written
from gal_friday.domain.review import ROW_OF
from gal_friday.domain.review_facts import FACTS, fact_of, told_of
from gal_friday.domain.reviewed import Review, ReviewChange

_OF_REVIEWS = frozenset(kind.value for kind in FACTS.values())
_OF_ADJUSTMENTS = frozenset(kind.value for kind in FactKind if kind.name.startswith("ADJUSTMENT_")) | {
    FactKind.REVIEW_APPROVED.value,
    FactKind.REVIEW_REJECTED.value,
}
_LEADS_TO = {action.value: row.to for action, row in ROW_OF.items()}
_DECIDED = frozenset({AdjustmentState.APPROVED.value, AdjustmentState.REJECTED.value})
_UNDECIDED = frozenset({AdjustmentState.PROPOSED.value, AdjustmentState.APPROVED.value})

_ADJUSTMENT_CHANGE = ("adjustment_id", "number", "account", "at", "from_state", "to_state", "actor", "how", "note")
_ADJUSTMENT = ("adjustment_id", "account", "state", "proposed_by", "decided_by", "content", "body")
_REVIEW_CHANGE = (
    *("change_id", "discrepancy_id", "account", "number", "actor", "known_by", "action", "from_state", "to_state"),
    *("reason", "note", "adjustment_id", "body"),
)
_REVIEW = ("discrepancy_id", "account", "state", "revision", "assignee", "reason", "note", "body")


class _Adjusted(Struct, frozen=True):
    """Where the facts of an adjustment have led to."""

    seq: int
    number: int
    account: str
    state: Any
    content: Any
    proposed_by: str
    decided_by: str | None

    def digest(self) -> bytes:
        return digest(self.account, self.state, self.proposed_by, self.decided_by, self.content, self.content)


class Decisions:
    """Remembers what the facts say of adjustments and reviews."""

    def __init__(self) -> None:
        """Begin with none."""
        self._adjusted: dict[str, _Adjusted] = {}
        self._adjustment_changes: Facts = {}
        self._reviewed: dict[str, tuple[int, dict[str, Any]]] = {}
        self._review_changes: Facts = {}
        self.count = 0

    def take(self, said: Written) -> None:
        """Remember what an entry says, if it is about a decision."""
        if said.kind in _OF_ADJUSTMENTS and "content" in said.body:
            self._take_adjustment(said)
        elif said.kind in _OF_REVIEWS and "change" in said.body:
            self._take_review(said)

    def _take_adjustment(self, said: Written) -> None:
        body, actor, before = said.body, said.actor, self._adjusted.get(said.subject)
        number = 1 if before is None else before.number + 1
        told = (body.get("from"), body.get("state"), actor.name, actor.known_by, body.get("note"))
        row = digest(said.account, said.at, *told)
        self._adjustment_changes[f"{said.subject}/{number}"] = (said.seq, row)
        self._adjusted[said.subject] = _after(said, number, before)

    def _take_review(self, said: Written) -> None:
        name, body = said.subject, said.body
        row = digest(name, said.account, said.at, said.actor.name, said.actor.known_by, said.kind, canonical(body))
        self._review_changes[f"{name}/{body['change']}"] = (said.seq, row)
        now = self._reviewed.get(name, (0, {"state": "open"}))[1] | {"revision": body["change"]}
        if _LEADS_TO.get(str(body.get("action"))) is not None:
            decision = {field: body.get(field) for field in ("until", "reason", "note", "evidence")}
            now |= decision | {"state": body.get("to"), "by": said.actor.name, "at": said.at}
        if "assignee" in body:
            now["assignee"] = body["assignee"]
        self._reviewed[name] = (said.seq, now)

    async def check(self, connection: AsyncConnection) -> None:
        """Raise ``Flaw`` at the first row without its fact, and at the first fact without its row."""
        await self._check_adjustments(connection)
        await self._check_reviews(connection)

    async def _check_adjustments(self, connection: AsyncConnection) -> None:
        standing = {name: (one.seq, one.digest()) for name, one in self._adjusted.items()}
        async for rows in in_parts(connection, ADJUSTMENT_CHANGES, _ADJUSTMENT_CHANGE, keys=2):
            self.count += await asyncio.to_thread(
                met, self._adjustment_changes, (_of_step(*row) for row in rows), "the change"
            )
        async for rows in in_parts(connection, ADJUSTMENTS, _ADJUSTMENT):
            await asyncio.to_thread(met, standing, (_of_adjustment(*row) for row in rows), "the adjustment")
        nothing_left(self._adjustment_changes, "the change")
        nothing_left(standing, "the adjustment")

    async def _check_reviews(self, connection: AsyncConnection) -> None:
        standing = {name: (seq, canonical(_filled(now))) for name, (seq, now) in self._reviewed.items()}
        async for rows in in_parts(connection, REVIEW_CHANGES, _REVIEW_CHANGE):
            self.count += await asyncio.to_thread(
                met, self._review_changes, (_of_review_change(*row) for row in rows), "the change"
            )
        async for rows in in_parts(connection, REVIEWS, _REVIEW):
            await asyncio.to_thread(met, standing, (_of_review(*row) for row in rows), "the review")
        nothing_left(self._review_changes, "the change")
        nothing_left(standing, "the review")


def _after(said: Written, number: int, before: _Adjusted | None) -> _Adjusted:
    """Return where this step leads to: a proposal has its proposer, a decision who took it last."""
    body, actor = said.body, said.actor.name
    state, came_from = body.get("state"), body.get("from")
    if before is None or came_from in RENEWABLE:
        decided = actor if state in _DECIDED else None
        return _Adjusted(said.seq, number, said.account, state, body["content"], actor, decided)
    now = replace(before, seq=said.seq, number=number, account=said.account, state=state, content=body["content"])
    return replace(now, decided_by=actor) if state in _DECIDED and came_from in _UNDECIDED else now


def _of_step(name: Any, number: int, account: Any, at: Any, *rest: Any) -> tuple[str, bytes]:
    return f"{text(name)}/{number}", digest(text(account), instant(at), *map(text, rest))


def _of_adjustment(name: Any, account: Any, *told: Any) -> tuple[str, bytes]:
    place, (*columns, body) = text(name), told
    said = read_as(Adjustment, body, place, "the adjustment")
    if (said.adjustment_id, said.account) != (place, text(account)):
        raise Flaw(place, "the adjustment is another one", place, said.adjustment_id)
    return place, digest(text(account), *map(text, columns), said.content)


def _of_review_change(change: Any, *told: Any) -> tuple[str, bytes]:
    place, (*columns, body) = text(change), told
    said = read_as(ReviewChange, body, place, "the change")
    fact = fact_of(said)
    stated = (
        *(said.discrepancy_id, said.account, said.number, said.actor.name, said.actor.known_by, said.action),
        *(said.before, said.after, said.reason, said.note, said.adjustment_id or None),
    )
    _check_columns(place, "the change", columns, stated)
    who = (fact.actor.name, fact.actor.known_by, str(fact.kind))
    return place, digest(fact.subject, fact.account, instant(fact.at), *who, canonical(fact.body))


def _of_review(name: Any, *told: Any) -> tuple[str, bytes]:
    place, (*columns, body) = text(name), told
    said = read_as(Review, body, place, "the review")
    stated = (said.account, said.state, said.revision, said.assignee, said.reason, said.note)
    _check_columns(place, "the review", columns, stated)
    now = {
        "state": said.state.value,
        "revision": said.revision,
        "assignee": said.assignee,
        "until": said.until,
        "reason": said.reason and said.reason.value,
        "note": said.note,
        "evidence": None if said.evidence is None else told_of(said.evidence),
        "by": said.decided_by and said.decided_by.name,
        "at": said.decided_at,
    }
    return place, canonical(_filled(now))


def _check_columns(place: str, what: str, columns: list[Any], stated: tuple[Any, ...]) -> None:
    found, expected = [text(one) for one in columns], [text(one) for one in stated]
    if found != expected:
        raise Flaw(place, f"a column of {what} is not what its body says", expected, found)


def _filled(now: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in now.items() if value not in (None, "")}
