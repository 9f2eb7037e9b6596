"""The policy of a configuration with other limits over it, as somebody wants to try them."""

from collections.abc import Sequence

from msgspec import convert
from msgspec.structs import replace

from gal_friday.bootstrap.problems import problems_in
from gal_friday.bootstrap.sense import nonsense_in
from gal_friday.bootstrap.settings import Reconciliation, Settings
from gal_friday.domain.policy import Policy
from gal_friday.domain.redecided import DECIDES
from gal_friday.flows.redecide import UnusableLimits


def other_policy(settings: Settings, changed: Sequence[str]) -> Policy:
    """Return the policy of these settings with these limits (``name=value``) over it.

    Raises:
        UnusableLimits: no such limit, or a value that makes no sense.
    """
    tree = dict(_pair(text) for text in changed)
    problems = list(problems_in(Settings, {"reconciliation": dict(tree)}))
    if problems:
        raise UnusableLimits("; ".join(map(str, problems)))
    read = convert(tree, type=Reconciliation, strict=False)
    over = replace(settings.reconciliation, **{name: getattr(read, name) for name in tree})
    nonsense = list(nonsense_in(replace(settings, reconciliation=over)))
    if nonsense:
        raise UnusableLimits("; ".join(map(str, nonsense)))
    return over.policy()


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or name not in DECIDES:
        raise UnusableLimits(f"{text[:80]}: write NAME=VALUE; what decides about a repair is {', '.join(DECIDES)}")
    return name, value
