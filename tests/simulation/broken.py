"""Mistakes that the product could have: each is planted into its own code, and must be caught by what is measured."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.finding import Agrees
from gal_friday.domain.records import Fill, OrderSide
from gal_friday.ports.exchange import Reading

PACKAGE = "gal_friday."
Break = Callable[[pytest.MonkeyPatch], None]


def _put(name: str, made: Callable[[Any], Any]) -> Break:
    """Put what *made* makes of the function of this name in its place."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        module, _, function = (PACKAGE + name).rpartition(".")
        patch.setattr(f"{module}.{function}", made(_named(module, function)))

    return broken


def _named(module: str, function: str) -> Any:
    from pkgutil import resolve_name

    return getattr(resolve_name(module), function)


def _drops_a_page(collect: Any) -> Any:
    async def short(*args: Any, **kwargs: Any) -> Any:
        whole = await collect(*args, **kwargs)
        return replace(whole, rows=dict([*whole.rows.items()][:40]), reasons=())

    return short


def _fails_silently(part: Any) -> Any:
    async def nothing(sources: Any, kind: Any, read: Any) -> Any:
        found = await part(sources, kind, read)
        from gal_friday.domain.snapshot import Coverage

        return found if isinstance(found, Reading) else Reading(rows=(), coverage=Coverage.TOTAL)

    return nothing


def _adds_the_fee(legs: Any) -> Any:
    def wrong(fill: Fill, *assets: Any) -> Any:
        return tuple(replace(leg, fee=quantity.negate(leg.fee)) for leg in legs(fill, *assets))

    return wrong


def _rounds(leg: Any) -> Any:
    def wrong(fill: Fill, asset: Any, amount: Decimal, fee: Decimal) -> Any:
        return leg(fill, asset, quantity.rounded(amount, 2), fee)

    return wrong


def _without_sides(mismatches: Any) -> Any:
    return lambda *args: (one for one in mismatches(*args) if one.field != "side")


def _takes_back_all(postings: Any) -> Any:
    def wrong(*args: Any) -> Any:
        from gal_friday.domain.adjustment import TakeBack

        for one in postings(*args):
            yield replace(one, entries=one.of) if isinstance(one, TakeBack) else one

    return wrong


def _sells_what_was_bought(postings: Any) -> Any:
    def wrong(*args: Any) -> Any:
        from gal_friday.domain.adjustment import PostFill

        for one in postings(*args):
            if isinstance(one, PostFill) and one.fill.side is OrderSide.BUY:
                yield replace(one, fill=replace(one.fill, side=OrderSide.SELL))
            else:
                yield one

    return wrong


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: lambda *args, **kwargs: value


BROKEN: dict[str, Break] = {
    "a page of every list is dropped": _put("adapters.kraken.read_history.collect", _drops_a_page),
    "a failed read is taken for an empty account": _put("flows.fetch._part", _fails_silently),
    "the side of a fill is ignored": _put("domain.compare.fills._mismatches", _without_sides),
    "the state of an order is ignored": _put("domain.compare.orders._state", _always(())),
    "what is listed twice is taken for once": _put("domain.compare.duplicates._judged", _always(None)),
    "fees are added in place of taken off": _put("domain.roll_up._spot_legs", _adds_the_fee),
    "amounts are rounded to cents": _put("domain.roll_up._leg", _rounds),
    "what is young is judged at once": _put(
        "domain.compare.view._held_back",
        lambda held: lambda view, side, lone, doubt: held(view, side, replace(lone, at=None), doubt),
    ),
    "a discrepancy is cleared by silence": _put(
        "domain.following._Sight._no_longer",
        lambda old: lambda self, one: old(self, one) or ("" if one.id in self.seen else "nobody speaks of it"),
    ),
    "all copies of a duplicate are taken back": _put("domain.postings._fill_postings", _takes_back_all),
    "a missing purchase is booked as a sale": _put("domain.postings._fill_postings", _sells_what_was_bought),
    "positions are reckoned by their average": _put(
        "adapters.kraken.names.Scales", lambda made: lambda **given: made(**given | {"oldest_first": False})
    ),
    "every fill agrees": _put(
        "domain.compare.fills._both", lambda both: lambda view, ours, theirs: Agrees(both(view, ours, theirs).key)
    ),
}
