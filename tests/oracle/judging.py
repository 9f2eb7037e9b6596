"""Product and oracle side by side on one world: every line that is returned is something they disagree about."""

from collections.abc import Iterator
from fractions import Fraction

from tests.oracle import naive, product, proven
from tests.oracle.naive import Said, Side
from tests.oracle.positions import Row


def disagreements(ours: Side, theirs: Side, *, explained: bool = True) -> list[str]:
    """Return what the two say differently of these sides; *explained* where the records tell all there is to tell."""
    report = product.reported(ours, theirs)
    right = naive.opinion(ours, theirs)
    lines = [*_findings(product.said(report), right)]
    missing = naive.gaps(ours, theirs)
    listed = missing | naive.silent(ours, theirs)
    if (seen := product.gaps(report)) != listed:
        lines.append(f"not checked: product {sorted(seen)}, oracle {sorted(listed)}")
    if (verdict := naive.verdict(right, missing)) != report["verdict"]:
        lines.append(f"verdict: product {report['verdict']}, oracle {verdict}")
    if explained:
        lines += [*_explanations(report, ours, theirs), *_causes(report, ours, theirs, right), *_share(report)]
    return lines


def _findings(said: Said, right: Said) -> Iterator[str]:
    for key in sorted({*said, *right}):
        # That the records of a side bear each other out is found everywhere, and a contradiction where there is one.
        agreed: tuple[str, list[Row]] = ("agrees", []) if key.startswith("sources:") else ("no finding", [])
        product_says, oracle_says = said.get(key, agreed), right.get(key, agreed)
        conflicts = _conflicts(oracle_says)
        alike = _sorted(product_says[1]) == _sorted(oracle_says[1]) and product_says[0] == oracle_says[0]
        if not ((conflicts and product_says[0] in naive.DIFFERENT and _conflicts(product_says) == conflicts) or alike):
            yield f"{key}: product {product_says}, oracle {oracle_says}"


def _conflicts(said: tuple[str, list[Row]]) -> list[list[tuple[str, object]]]:
    """Return whose one id stands for two contents: which of them is right nobody can say, and so no more is asked."""
    return _sorted([one for one in said[1] if one["type"] == "identity_conflict"])


def _sorted(told: list[Row]) -> list[list[tuple[str, object]]]:
    return sorted([sorted(one.items()) for one in told], key=str)


def _explanations(report: Row, ours: Side, theirs: Side) -> Iterator[str]:
    left_over = proven.leads(ours, theirs)
    for one in report["balance_discrepancies"]:
        if one["type"] == "balance_mismatch" and one.get("bridge"):
            some = left_over.get((one["currency"], one["wallet"]), [])
            yield from (f"{one['key']}: {line}" for line in proven.wrong_in(one["bridge"], some))
    traded = proven.leads_of_positions(ours, theirs)
    for one in report["position_discrepancies"]:
        some = traded.get(one["trading_pair"], [])
        yield from (f"{one['key']}: {line}" for line in proven.wrong_in(one["bridge"], some))


def _causes(report: Row, ours: Side, theirs: Side, right: Said) -> Iterator[str]:
    called: dict[str, set[str]] = {}
    for root in report["root_causes"]:
        for key in root["symptoms"]:
            called.setdefault(key, set()).add(root["cause"])
    for key, names in proven.causes(ours, theirs, right).items():
        if names.isdisjoint(called.get(key, ())):
            yield f"{key}: product calls it {sorted(called.get(key, ()))}, oracle {sorted(names)}"


def _share(report: Row) -> Iterator[str]:
    differing = [*report["balance_discrepancies"], *report["position_discrepancies"]]
    share, told = proven.explained_share(differing), report["explained_share"]
    if (share is None) != (told is None) or (share is not None and abs(Fraction(told) - share) > Fraction(1, 10**4)):
        yield f"explained share: product {told}, oracle {share}"
