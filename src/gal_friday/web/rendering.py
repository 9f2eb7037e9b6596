"""The templates, with everything escaped, and the filters that they share."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from gal_friday.domain import quantity, words
from gal_friday.domain.verdict import Verdict
from gal_friday.web import amounts, times
from gal_friday.web.manner import AS_RECORDED, Manner

VERDICTS = {
    Verdict.RECONCILED: "reconciled",
    Verdict.DISCREPANCIES: "discrepancies",
    Verdict.PENDING: "in motion",
    Verdict.INCOMPLETE: "not all was checked",
}

_PAGES = {"dis_": "/discrepancies/", "rec_": "/runs/", "adj_": "/adjustments?id="}
"""Where what an id of this beginning stands for has a page."""
_ID = re.compile(r"\b(dis_|rec_|adj_)[0-9a-f]{8,64}\b")


def page_of(name: str) -> str:
    """Return the page of what has this id; empty where there is none."""
    found = _ID.fullmatch(name)
    return "" if found is None else f"{_PAGES[found[1]]}{name}"


def _linked(text: str) -> Markup:
    """Return words in which every id leads to its page."""
    said, at = Markup(), 0
    for found in _ID.finditer(text):
        said += text[at : found.start()]
        said += Markup('<a href="{}">{}</a>').format(page_of(found[0]), found[0])
        at = found.end()
    return said + text[at:]


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _whose(side: str | None) -> str:
    """Return who booked a row."""
    return "both" if side is None else "the book" if side == "internal" else "the exchange"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _read(said: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that says times and numbers as whoever looks wants to read them."""

    @pass_context
    def read(context: Context, *given: Any) -> str:
        return said(*given, manner=context.get("manner", AS_RECORDED))

    return read


def _instant(at: datetime, *, manner: Manner) -> str:
    return manner.instant(at)


def _made() -> Environment:
    made = Environment(
        loader=PackageLoader("gal_friday.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "amount": _read(amounts.amount),
        "difference": _read(amounts.difference),
        "worth": _read(amounts.worth),
        "figure": _read(amounts.figure),
        "digits": quantity.text,
        "when": _read(times.when),
        "instant": _read(_instant),
        "ago": _read(times.ago),
        "what": words.what,
        "where": words.where,
        "unit": words.unit,
        "words": _plain,
        "whose": _whose,
        "shortened": _shortened,
        "linked": _linked,
    }
    made.filters.update(filters)
    made.globals["verdicts"] = VERDICTS
    return made


TEMPLATES = _made()
