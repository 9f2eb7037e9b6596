"""The fact that limits are other ones from here on, with all of them as they are written in a configuration."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from gal_friday.domain import quantity
from gal_friday.domain.facts import Fact, FactKind
from gal_friday.domain.policy import Policy


def limits_of(policy: Policy) -> Mapping[str, str]:
    """Return every limit as it is written in a configuration."""
    return {name: _text(getattr(policy, name)) for name in policy.__struct_fields__}


def policy_changed(policy: Policy, before: str, at: datetime) -> Fact:
    """Return the fact that this policy is in effect; *before* is the version until now, empty for the first."""
    body = {"before": before, "limits": dict(limits_of(policy))}
    return Fact(kind=FactKind.POLICY_CHANGED, at=at, account="", subject=policy.version, body=body)


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return quantity.text(value) if value else "0"
        case dict():
            return ", ".join(f"{name} = {_text(inner)}" for name, inner in sorted(value.items())) or "{}"
        case _:
            return str(value)
