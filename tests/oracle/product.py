"""What the product says of two snapshot files, in the words of the oracle: dictionaries and fractions."""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from gal_friday import Policy, compare, read_snapshot
from gal_friday.domain.assets import Asset
from tests.oracle.naive import Said, Side
from tests.oracle.positions import Row

PRICES = {Asset("USD"): Decimal("1"), Asset("XRP"): Decimal("2"), Asset("ETH"): Decimal("2")}
LISTS = ("position", "balance", "order", "fill", "movement", "source")


def reported(ours: Side, theirs: Side) -> Row:
    """Return the report on two sides as the JSON that everybody gets."""
    sides = [read_snapshot(json.dumps(side).encode(), source=side["side"]) for side in (ours, theirs)]
    told: Row = json.loads(compare(*sides, policy=Policy(), prices=PRICES).to_json())
    return told


def said(report: Row) -> Said:
    """Return each key with its finding and what differs."""
    found: Said = {_key(finding["key"]): (finding["finding"], []) for finding in report["findings"]}
    for one in discrepancies(report):
        found[one["key"]][1].append(_told(one))
    return found


def discrepancies(report: Row) -> Iterator[Row]:
    """Yield every discrepancy of all lists."""
    for name in LISTS:
        yield from report[f"{name}_discrepancies"]


def gaps(report: Row) -> set[tuple[str, str]]:
    """Return which kinds were not seen in full, by whom."""
    return {(gap["kind"], gap["side"]) for gap in report["not_checked"] if gap.get("side")}


def _key(key: Row) -> str:
    return ":".join(part for part in (key["kind"], key["name"], key.get("part", "")) if part)


def _told(one: Row) -> Row:
    if one.get("side"):
        return {"type": one["type"], "side": one["side"]}
    if one.get("field") == "fee" and one["difference"] is None:
        return {"type": one["type"], "field": "fee"}
    told: Row = {"type": one["type"], **{name: _value(one[name]) for name in ("internal", "exchange")}}
    if one.get("difference") is not None:
        told["difference"] = Fraction(one["difference"])
    if "record_id" in one and None not in (one["internal"], one["exchange"]):
        told["field"] = one["field"]
    return told


def _value(given: Any) -> Any:
    """Return an amount as a fraction, a word as it is; what is not there is nothing."""
    if given is None:
        return Fraction(0)
    try:
        return Fraction(given)
    except ValueError:
        return given
