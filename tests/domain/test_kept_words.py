"""Words that databases keep and other programs see: one that changes is no word of theirs any more."""

import importlib
from enum import StrEnum

import pytest

KEPT = {
    "access.Permission": "read metrics run review approve operate administer feed",
    "access.Role": "viewer reviewer approver admin",
    "adjusted.Step": (
        "propose approve reject expire intend withdraw apply refuse lose_sight verify doubt reverse reinstate"
    ),
    "adjustment.AdjustmentState": (
        "proposed rejected expired approved intended applied refused outcome_unknown verified unverified reversed"
    ),
    "adjustment.AdjustmentType": (
        "add_position position_quantity balance book_fill book_movement reverse_duplicate reverse_record "
        "close_order order_state reversal"
    ),
    "alert.AlertKind": (
        "run_failed run_missed stale outage discrepancies review_overdue breaker_tripped adjustment_unsettled "
        "key_expiring journal_unverified channel_failing evaluation_failing test"
    ),
    "alert.Phase": "pending firing escalated acknowledged resolved",
    "alert.What": "firing grew renewed repeated escalated acknowledged resolved test",
    "alerting.Event": "seen waited cleared untold grew renewed unheard repeated taken_on lapsed",
    "assets.Wallet": "spot earn bonded held futures in_transit",
    "cause.Cause": (
        "in_flight missed_fill duplicated_fill duplicated_movement wrong_side wrong_amount wrong_price "
        "unbooked_fee fee_in_other_asset unbooked_deposit unbooked_withdrawal failed_withdrawal reward "
        "rollover conversion earn_transfer internal_transfer liquidation settlement exchange_adjustment "
        "delisting renamed_asset manual_trade foreign_order ghost_order phantom_record missed_cancel rounding "
        "dust wrong_opening stale_exchange stale_book incomplete_source unexplained"
    ),
    "credentials.Purpose": "sign_in add_passkey use_passkey",
    "credentials.Refusal": "no_proof malformed unknown expired revoked disabled throttled",
    "decision.Choice": "wait propose correct escalate",
    "divergence.State": "none from_the_start at_event",
    "facts.FactKind": (
        "snapshot_taken discrepancy_opened discrepancy_confirmed discrepancy_changed discrepancy_cleared "
        "discrepancy_reopened discrepancy_explained adjustment_proposed adjustment_intended "
        "adjustment_applied adjustment_verified adjustment_unverified adjustment_expired adjustment_failed "
        "adjustment_outcome_unknown adjustment_reversed review_assigned review_commented review_proposed "
        "review_approved review_rejected review_accepted review_disputed review_snoozed review_reopened "
        "review_undone review_closed run_scheduled run_started run_skipped runs_paused runs_resumed "
        "run_finished book_opened book_appended policy_changed alert_raised alert_changed alert_escalated "
        "alert_acknowledged alert_resolved alert_sent alert_undelivered silence_begun silence_ended "
        "breaker_tripped breaker_reset journal_begun journal_key_added journal_anchored token_created "
        "token_revoked user_created user_disabled user_enabled role_changed password_changed passkey_added "
        "passkey_removed signed_in signed_out stepped_up sign_in_refused"
    ),
    "facts.KnownBy": "policy self-declared token session system",
    "finding.DiscrepancyType": (
        "position_missing_internal position_missing_exchange quantity_mismatch side_mismatch "
        "cost_basis_mismatch balance_mismatch hold_mismatch order_not_tracked order_missing_exchange "
        "order_state_mismatch order_terms_mismatch fill_missing_internal fill_missing_exchange fill_mismatch "
        "fill_duplicated movement_missing_internal movement_missing_exchange movement_mismatch "
        "movement_duplicated order_duplicated balance_duplicated position_duplicated unresolved_name "
        "order_fills_mismatch position_fills_mismatch identity_conflict source_inconsistent ledger_gap"
    ),
    "gate.Why": (
        "never_checked last_run_failed last_run_incomplete too_old unknown_instrument not_seen discrepancy "
        "breaker outcome_unknown"
    ),
    "handover.Sighting": "agrees unchanged unclear",
    "materiality.Severity": "low medium high critical",
    "policy.Mode": "observe propose enforce",
    "proof.Reading": (
        "agree internal_at_fault exchange_incomplete items wrong_opening compensating both_incomplete not_proven"
    ),
    "records.Kind": "balances positions orders fills movements holds sources",
    "records.OrderSide": "buy sell",
    "records.PositionMode": "net long short lot",
    "review.Action": (
        "assign comment propose approve reject accept dispute snooze reopen undo agreed returned lapsed changed"
    ),
    "review.Reason": (
        "known_difference exchange_confirmed timing duplicate false_positive fixed_outside exchange_wrong "
        "wrong_repair other"
    ),
    "review.ReviewState": "open accepted disputed snoozed closed",
    "schedule.Obstacle": "lockout refused throttled maintenance outage busy here",
    "schedule.Why": "start interval requested stream retry",
    "snapshot.Coverage": "total partial none",
    "verdict.ReconciliationStatus": "in_progress success partial failed",
    "verdict.Verdict": "incomplete discrepancies pending reconciled",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_word_stays_what_it_is_and_new_ones_are_added_here(name: str) -> None:
    module, _, kind = name.rpartition(".")
    listed: type[StrEnum] = getattr(importlib.import_module(f"gal_friday.domain.{module}"), kind)
    assert " ".join(listed) == KEPT[name]
