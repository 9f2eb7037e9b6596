"""What has to be said with a step of a review, and what can be."""

from gal_friday.domain.review import STEPS


def test_what_has_to_and_what_can_be_said_with_each_step() -> None:
    assert {each.action.value: (" ".join(each.needs), " ".join(each.may)) for each in STEPS} == {
        "assign": ("assignee", "note"),
        "comment": ("note", ""),
        "propose": ("adjustment_id", "note"),
        "approve": ("adjustment_id", "note"),
        "reject": ("adjustment_id reason", "note"),
        "accept": ("reason note until", ""),
        "dispute": ("reason", "note until"),
        "snooze": ("until", "note"),
        "reopen": ("", "note"),
        "undo": ("adjustment_id", "note"),
        "agreed": ("", "note"),
        "returned": ("", "note"),
        "lapsed": ("", "note"),
        "changed": ("", "note"),
    }
