"""The fact of a change of a review: who did what with which discrepancy, and what they looked at.

Nothing here decides or writes anything.
"""

from msgspec.structs import asdict

from gal_friday.domain.facts import Fact, FactKind
from gal_friday.domain.review import Action
from gal_friday.domain.reviewed import Evidence, ReviewChange


def fact_of(change: ReviewChange) -> Fact:
    """Return what the journal keeps of a change."""
    body = {
        "change": change.number,
        "action": change.action.value,
        "from": change.before.value,
        "to": change.after.value,
        "note": change.note,
    }
    told = {
        "reason": change.reason and change.reason.value,
        "until": change.until,
        "assignee": change.assignee,
        "adjustment": change.adjustment_id or None,
        "evidence": None if change.evidence is None else told_of(change.evidence),
    }
    return Fact(
        kind=FACTS[change.action],
        at=change.at,
        account=change.account,
        subject=change.discrepancy_id,
        actor=change.actor,
        body=body | {name: value for name, value in told.items() if value is not None},
    )


FACTS = {
    Action.ASSIGN: FactKind.REVIEW_ASSIGNED,
    Action.COMMENT: FactKind.REVIEW_COMMENTED,
    Action.PROPOSE: FactKind.REVIEW_PROPOSED,
    Action.APPROVE: FactKind.REVIEW_APPROVED,
    Action.REJECT: FactKind.REVIEW_REJECTED,
    Action.ACCEPT: FactKind.REVIEW_ACCEPTED,
    Action.DISPUTE: FactKind.REVIEW_DISPUTED,
    Action.SNOOZE: FactKind.REVIEW_SNOOZED,
    Action.REOPEN: FactKind.REVIEW_REOPENED,
    Action.UNDO: FactKind.REVIEW_UNDONE,
    Action.AGREED: FactKind.REVIEW_CLOSED,
    Action.RETURNED: FactKind.REVIEW_REOPENED,
    Action.LAPSED: FactKind.REVIEW_REOPENED,
    Action.CHANGED: FactKind.REVIEW_REOPENED,
}


def told_of(evidence: Evidence) -> dict[str, object]:
    """Return what the journal keeps of what a person looked at."""
    return {name: value for name, value in asdict(evidence).items() if value is not None} | {
        "type": evidence.type.value,
        "severity": evidence.severity.value,
    }
