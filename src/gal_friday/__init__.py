"""Gal-Friday: portfolio reconciliation for crypto trading systems.

The library's front door. Names are loaded when they are first asked for, so that importing the package
costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gal_friday.bootstrap.service import ReconciliationService
    from gal_friday.domain.finding import DiscrepancyType
    from gal_friday.domain.policy import Policy
    from gal_friday.domain.report import ReconciliationReport, compare
    from gal_friday.domain.snapshot import Snapshot
    from gal_friday.domain.snapshot_json import read_snapshot, write_snapshot
    from gal_friday.domain.verdict import ReconciliationStatus, Verdict

__all__ = [
    "DiscrepancyType",
    "Policy",
    "ReconciliationReport",
    "ReconciliationService",
    "ReconciliationStatus",
    "Snapshot",
    "Verdict",
    "compare",
    "read_snapshot",
    "write_snapshot",
]

_HOMES = {
    "DiscrepancyType": "gal_friday.domain.finding",
    "Policy": "gal_friday.domain.policy",
    "ReconciliationReport": "gal_friday.domain.report",
    "ReconciliationService": "gal_friday.bootstrap.service",
    "ReconciliationStatus": "gal_friday.domain.verdict",
    "Snapshot": "gal_friday.domain.snapshot",
    "Verdict": "gal_friday.domain.verdict",
    "compare": "gal_friday.domain.report",
    "read_snapshot": "gal_friday.domain.snapshot_json",
    "write_snapshot": "gal_friday.domain.snapshot_json",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gal_friday' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
