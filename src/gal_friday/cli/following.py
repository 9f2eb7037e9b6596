"""Followed discrepancies as lines of text: a list, and the page of one.

Nothing is ever cut: ids and amounts are whole at every width, because people copy them.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from gal_friday.cli.again import named
from gal_friday.cli.columns import aligned, amount, padded, signed, table, worth
from gal_friday.cli.output import printable
from gal_friday.cli.proposed import proposed_lines
from gal_friday.cli.reviewing import page_head, page_history, short, spanned
from gal_friday.domain import quantity, words
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, RecordDiscrepancy
from gal_friday.domain.due import age_of
from gal_friday.domain.explanation import Alternative, Explanation, Item
from gal_friday.domain.finding import DiscrepancyType as Type
from gal_friday.domain.followed import Followed
from gal_friday.domain.instants import instant
from gal_friday.domain.reviewed import Review, ReviewChange, unreviewed
from gal_friday.domain.snapshot import Side

_LABEL = 13
_NEVER_BOOKED = {Type.FILL_MISSING_INTERNAL, Type.MOVEMENT_MISSING_INTERNAL}
_SIDES = {"internal": "book", "exchange": "exchange"}
_UNTOUCHED: Mapping[str, Review] = {}


def list_lines(
    found: Sequence[Followed],
    *,
    now: datetime,
    currency: str,
    width: int,
    reviews: Mapping[str, Review] = _UNTOUCHED,
) -> list[str]:
    """Return the list: one line each under a heading where *width* allows, else two for each."""
    accounts = len({one.account for one in found}) > 1
    reviewed = [short(reviews[one.id]) if one.id in reviews else "" for one in found]
    wide = _in_one_line(found, reviewed, now, currency, accounts=accounts)
    if all(len(line) <= width for line in wide):
        return wide
    both = zip(found, reviewed, strict=True)
    return [line for one, review in both for line in _in_two_lines(one, review, now, currency, accounts=accounts)]


def _in_one_line(
    found: Sequence[Followed], reviewed: Sequence[str], now: datetime, currency: str, *, accounts: bool
) -> list[str]:
    columns = [
        padded(["severity", *(one.severity for one in found)]),
        padded(["what", *(words.what(one.latest) for one in found)]),
        padded(["of", *(printable(words.where(one.latest)) for one in found)]),
        *([padded(["account", *(printable(one.account) for one in found)])] if accounts else []),
        aligned(["difference", *(signed(one.latest.difference) for one in found)]),
        aligned(["worth", *(worth(one.latest.value, currency) for one in found)]),
        padded(["state", *(one.state for one in found)]),
        *([padded(["review", *reviewed])] if any(reviewed) else []),
        padded(["age", *(age(now, one) for one in found)]),
        padded(["seen", *(_times(one.occurrences) for one in found)]),
        padded(["id", *(one.id for one in found)]),
    ]
    return table(columns)


def _in_two_lines(one: Followed, review: str, now: datetime, currency: str, *, accounts: bool) -> Iterator[str]:
    where = printable(words.where(one.latest)) + (f" ({printable(one.account)})" if accounts else "")
    yield f"{one.severity:<10}{words.what(one.latest)}: {where}"
    amounts = (signed(one.latest.difference), worth(one.latest.value, currency))
    seen = (f"{one.state} {age(now, one)}".rstrip(), f"seen {_times(one.occurrences)}", review, one.id)
    yield f"{'':10}{'  '.join(filter(None, (*amounts, *seen)))}"


def _times(count: int) -> str:
    return words.counted(count, "time", "times")


def age(now: datetime, one: Followed) -> str:
    """Return how old an open discrepancy is, or how old a cleared one became; in its largest unit."""
    return spanned(age_of(one, now))


def page_lines(
    one: Followed,
    *,
    now: datetime,
    currency: str,
    review: Review | None = None,
    changes: Sequence[ReviewChange] = (),
    repairs: Sequence[Kept] = (),
    width: int = 80,
    config: Path | None = None,
) -> list[str]:
    """Return everything that is known about one discrepancy, what people decided about it, and what to do next.

    *repairs* are the adjustments that were made for it, *config* is the configuration that the command named.
    """
    head = (*_head(one, now, currency), *page_head(one, review or unreviewed(one), now))
    lines = (*head, *_why(one), *_life(one), *page_history(changes))
    told = (*_repairs(repairs, currency, width, config), *_next(one, repairs, config))
    return [printable(line) for line in (*lines, *told)]


def _head(one: Followed, now: datetime, currency: str) -> Iterator[str]:
    latest = one.latest
    yield f"{one.severity.upper()}: {words.what(latest)}: {words.where(latest)} · {one.account} at {one.exchange}"
    for side, says in (("Book", _says(latest, "internal")), ("Exchange", _says(latest, "exchange"))):
        if says:
            yield f"{side:<{_LABEL}}{says}"
    parts = [signed(latest.difference), worth(latest.value, currency)]
    if one.largest_value is not None and one.largest_value != latest.value:
        parts.append(f"at most {worth(one.largest_value, currency)}")
    if any(parts):
        yield f"{'Difference':<{_LABEL}}{'  '.join(filter(None, parts))}"
    yield f"{'Since':<{_LABEL}}{instant(one.since)} ({age(now, one)})"
    yield f"{'State':<{_LABEL}}{_state(one)}"
    first, last = instant(one.first_seen), instant(one.last_seen)
    seen = f"first {first}, last {last}" if one.occurrences > 1 else first
    yield f"{'Seen':<{_LABEL}}{_times(one.occurrences)}: {seen}"
    yield f"{'Id':<{_LABEL}}{one.id}  {one.key}"


def _says(latest: Discrepancy, side: Side) -> str:
    """Return what this side says; nothing where it has no say in it."""
    match latest:
        case RecordDiscrepancy(side=only) if only is not None and only != side:
            return ""
        case RecordDiscrepancy():
            said = latest.internal if side == "internal" else latest.exchange
            exact = latest.difference is not None
            return amount(said, exact=exact) + ("" if exact else f" ({latest.field})")
        case BalanceDiscrepancy(missing_on=lacking) if lacking == side:
            return amount(None, exact=True)
        case _:
            return quantity.short(latest.internal if side == "internal" else latest.exchange)


def _state(one: Followed) -> str:
    dated = {"confirmed": one.confirmed_at, "cleared": one.cleared_at}.get(one.state)
    flips = f"; came back {_times(one.flips)} after it had agreed" if one.flips else ""
    return one.state + (f", {instant(dated)}" if dated else "") + flips


def _why(one: Followed) -> Iterator[str]:
    latest = one.latest
    if latest.cause or latest.explanation:
        cause = (latest.cause or "").replace("_", " ")
        yield f"{'Because':<{_LABEL}}{': '.join(filter(None, (cause, latest.explanation)))}"
    if not isinstance(latest, RecordDiscrepancy) and latest.bridge is not None:
        yield from _told(latest.bridge)
        yield from ("", *bridge_lines(latest.bridge))


def _told(bridge: Explanation) -> Iterator[str]:
    """Yield how sure it is, whose records are wrong, and where the two sides part, as far as this is known."""
    sure = "proven: nothing else explains it" if bridge.proven else "not proven"
    fault = f"; the records of the {_SIDES[bridge.at_fault]} are wrong" if bridge.at_fault else ""
    yield f"{'Sure':<{_LABEL}}{sure}{fault}"
    if bridge.divergence is not None:
        good, bad = bridge.divergence.last_good, bridge.divergence.first_bad
        yield f"{'Agree until':<{_LABEL}}{good or 'nothing that was read'}{f'; first after: {bad}' if bad else ''}"


def bridge_lines(bridge: Explanation) -> list[str]:
    """Return the way from the book's amount to the exchange's, item by item, to the residual; and other ways."""
    amounts = [
        quantity.short(bridge.internal),
        *(signed(item.effect) for item in bridge.items),
        signed(bridge.residual),
        quantity.short(bridge.exchange),
    ]
    rest = f"residual: {bridge.residual_cause.replace('_', ' ')}" if bridge.residual else "residual"
    says = ["book", *(_item(item) for item in bridge.items), rest, "exchange"]
    others = [f"  or: {_other(other)}" for other in bridge.alternatives]
    bridged = [f"  {line}" for line in table((aligned(amounts), padded(says)))]
    return ["From the book to the exchange", *bridged, *others]


def _other(other: Alternative) -> str:
    items = ", ".join(f"{signed(item.effect)} {_item(item)}" for item in other.items)
    return f"{items}; residual {quantity.short(other.residual)}"


def _item(item: Item) -> str:
    records = f" ({', '.join(item.record_ids)})" if item.record_ids else ""
    note = f": {item.note}" if item.note else ""
    return f"{item.cause.replace('_', ' ')}{records}{note}"


def _life(one: Followed) -> Iterator[str]:
    yield from ("", "History")
    columns = (
        [instant(change.at) for change in one.history],
        padded([change.what for change in one.history]),
        [change.note for change in one.history],
    )
    yield from (f"  {line}" for line in table(columns))


def _repairs(repairs: Sequence[Kept], currency: str, width: int, config: Path | None) -> Iterator[str]:
    """Yield what was made to repair it: proposals with all that a decision needs, of the others where they stand."""
    done = [kept for kept in repairs if kept.state is not AdjustmentState.PROPOSED]
    proposed = [kept for kept in repairs if kept.state is AdjustmentState.PROPOSED]
    if done:
        yield from ("", "Repairs")
        kinds = (kept.adjustment.type.replace("_", " ") for kept in done)
        yield from (f"  {kept.id}  {kept.state}, {kind}" for kept, kind in zip(done, kinds, strict=True))
    told = list(proposed_lines(proposed, currency=currency, width=width, config=config))
    yield from (["", *told] if told else [])


def _next(one: Followed, repairs: Sequence[Kept], config: Path | None) -> Iterator[str]:
    steps = list(_steps(one, repairs))
    yield from (["", "What next"] if steps else [])
    yield from (f"  {command}{named(config)}  ({purpose})" for command, purpose in steps)


def _steps(one: Followed, repairs: Sequence[Kept]) -> Iterator[tuple[str, str]]:
    if not one.is_open:
        return
    account, states = shlex.quote(one.account), {kept.state for kept in repairs}
    if one.type in _NEVER_BOOKED and AdjustmentState.PROPOSED not in states:
        yield f"gal-friday book import FILE --account {account}", "Kraken's ledgers.csv and trades.csv"
    yield f"gal-friday report --account {account}", "what else the last run saw"
    yield f"gal-friday run {account}", "again; only what is seen to agree is settled"
    yield f"gal-friday review assign {one.id}", "take it; review --help lists what else can be decided"
