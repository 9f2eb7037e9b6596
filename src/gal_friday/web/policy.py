"""The page of the policy."""

from collections.abc import Sequence

from fastapi import Request, Response

from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Policy
from gal_friday.web.frame import Visitor, house_of, new_router, rendered

router = new_router()


@router.get("/policy")
async def policy(request: Request, who: Visitor) -> Response:
    """Show every limit in effect."""
    in_effect = house_of(request).policy
    told = {"version": in_effect.version, "limits": limits(in_effect)}
    return rendered(request, who, "policy.html", told, here="/policy")


def limits(policy: Policy) -> Sequence[tuple[str, str]]:
    """Return every limit with its value, as they are called in the configuration."""
    return [(name, value if isinstance(value, str) else str(plain(value))) for name, value in plain(policy).items()]
