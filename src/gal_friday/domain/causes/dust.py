"""Worth too little to matter, and without any record.

Evidence: a price is known, and what is left is worth less than the trivial value.

Not to be confused with a small amount of something precious (its value decides), with one that has a cause
(every other cause outweighs this one), or with an amount without a price: that is never called small.
"""

from gal_friday.domain import quantity
from gal_friday.domain.causes.evidence import Rest


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where what is left is not worth looking for."""
    if rest.value is None or rest.value >= rest.trivial_value:
        return None
    return f"worth {quantity.short(rest.value)} {rest.currency}, which is less than anything that matters"
