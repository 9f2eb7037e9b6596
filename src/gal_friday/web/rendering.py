"""The templates, with everything escaped, and the filters that they share."""

from decimal import Decimal
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gal_friday.domain import quantity, words
from gal_friday.domain.instants import instant
from gal_friday.domain.verdict import Verdict
from gal_friday.web import amounts, times

VERDICTS = {
    Verdict.RECONCILED: "reconciled",
    Verdict.DISCREPANCIES: "discrepancies",
    Verdict.PENDING: "in motion",
    Verdict.INCOMPLETE: "not all was checked",
}


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _whose(side: str | None) -> str:
    """Return who booked a row."""
    return "both" if side is None else "the book" if side == "internal" else "the exchange"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _figure(value: Decimal, signed: bool) -> str:
    parts = amounts.parts_of(value, signed=signed)
    return parts.whole + parts.rest


def _made() -> Environment:
    made = Environment(
        loader=PackageLoader("gal_friday.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "amount": amounts.amount,
        "difference": amounts.difference,
        "worth": amounts.worth,
        "figure": _figure,
        "digits": quantity.text,
        "when": times.when,
        "instant": instant,
        "ago": times.ago,
        "what": words.what,
        "where": words.where,
        "words": _plain,
        "whose": _whose,
        "shortened": _shortened,
    }
    made.filters.update(filters)
    made.globals["verdicts"] = VERDICTS
    return made


TEMPLATES = _made()
