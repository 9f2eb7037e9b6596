"""Why do the sides differ? From findings and records to items, residual, causes and root causes.

The ladder, each rung taking away what it can prove and passing the rest down:

1. records that one side lacks, has twice or has otherwise, by their ids (``leads``), each with its cause;
2. causes that need no record: rounding, a wrong opening, a renamed asset (``causes``);
3. known patterns of a single mistake, and a bounded search for rows that add up (``residual``), taken as proof
   only where there is one answer and chance alone is all but excluded;
4. the residual: what is left stays visible with its full amount.

Nothing here decides whether something differs, or what is done about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet, base_and_quote
from gal_friday.domain.case import Case, Lead, Place, behind
from gal_friday.domain.cause import Cause
from gal_friday.domain.causes import Recognised, Rest, cause_of_record, causes_of, causes_of_rest
from gal_friday.domain.compare.stake import net
from gal_friday.domain.discrepancy import NOT_KNOWN, Discrepancy, RecordDiscrepancy, Why, stake_assets
from gal_friday.domain.explanation import Alternative, Divergence, Explanation, Item
from gal_friday.domain.finding import Finding, Key, Stake
from gal_friday.domain.leads import leads_about, missing_rows
from gal_friday.domain.materiality import Prices, value_of
from gal_friday.domain.policy import Policy
from gal_friday.domain.proof import Proof, proofs_of
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind
from gal_friday.domain.residual import Candidate, Part, candidates, pool_of
from gal_friday.domain.root import RootCause, events_of
from gal_friday.domain.snapshot import Coverage, Side

_AMOUNTS = (Kind.BALANCES, Kind.POSITIONS)
_LEAVES_THE_RESIDUAL = (Cause.DUST, Cause.INCOMPLETE_SOURCE)
"""What these say of an amount does not make it go away."""


class Explained(Struct, frozen=True):
    """What is known about why."""

    explanations: Mapping[Key, Explanation]
    """For every balance and position that differs."""
    causes: Mapping[Key, Recognised]
    """For every other key that differs and whose cause the records tell."""
    roots: tuple[RootCause, ...]
    """One per event, the most valuable first."""
    rests: Mapping[Key, str]
    """What is said of residuals: too little to matter, or perhaps among what was not read."""

    def why(self, key: Key) -> Why:
        """Return what a discrepancy on this key says of its reason."""
        explanation = self.explanations.get(key)
        if explanation is not None:
            return Why(explanation.cause, _sentence(key, explanation, self.rests.get(key)), explanation)
        cause = self.causes.get(key)
        return NOT_KNOWN if cause is None else Why(cause.cause, cause.note)


def _sentence(key: Key, explanation: Explanation, of_residual: str | None) -> str:
    notes = list(dict.fromkeys([item.note for item in explanation.items]))
    if explanation.residual:
        notes.append(_left(key, explanation, of_residual))
    return "; ".join(notes)


def _left(key: Key, explanation: Explanation, said: str | None) -> str:
    left = f"{quantity.short(explanation.residual)} {key.name} {explanation.residual_cause}"
    return f"{left}: {said}" if said else left


class _Told(Struct, frozen=True, gc=False):
    """A lead with every cause that explains it."""

    lead: Lead
    causes: tuple[Recognised, ...]


def explain(case: Case, *, policy: Policy, prices: Prices) -> Explained:
    """Return why the findings of this case differ. The same case gives the same answer."""
    if not case.unlike:
        return Explained({}, {}, (), {})
    # Before anything else is laid out: proofs hold every row of a balance, and only what they say is kept.
    faults = _faults(case, policy)
    told = {key: _told(finding, case) for key, finding in case.unlike.items()}
    by_place = _by_place(told.values())
    opened = [
        _Open(case, Key(*place), place, *amounts, by_place.get(place, ())) for place, amounts in case.amounts.items()
    ]
    amounts = [(each, *_amount(each, policy, prices)) for each in opened]
    explanations = {each.key: _proven(bridge, faults.get(each.place)) for each, bridge, _ in amounts}
    rests = {each.key: said for each, _, said in amounts if said}
    causes = {
        key: cause
        for key, finding in case.unlike.items()
        if key.kind not in _AMOUNTS and (cause := _of_record(finding, case, told[key])) is not None
    }
    roots = _Roots(case, explanations, causes, rests, policy, prices)
    return Explained(explanations, causes, roots.ranked(), rests)


def _told(finding: Finding, case: Case) -> Sequence[_Told]:
    return [_Told(lead, causes_of(lead, case)) for lead in leads_about(finding, case)]


def _by_place(told: Iterable[Sequence[_Told]]) -> Mapping[Place, Sequence[_Told]]:
    """Return what has an effect on each place, oldest first."""
    places: dict[Place, list[_Told]] = {}
    for each in chain.from_iterable(told):
        if each.lead.effect:
            places.setdefault(each.lead.place, []).append(each)
    for leads in places.values():
        leads.sort(key=_age)
    return places


def _age(told: _Told) -> tuple[datetime, str]:
    return told.lead.at, told.lead.event


def _of_record(finding: Finding, case: Case, told: Sequence[_Told]) -> Recognised | None:
    # What a margin fill does to its position is asked of the position.
    causes = chain.from_iterable(each.causes for each in told if each.lead.place.kind is not Kind.POSITIONS)
    return cause_of_record(finding, case, causes)


class _Open(Struct, frozen=True):
    """An amount that is to be explained."""

    case: Case
    key: Key
    place: Place
    internal: Decimal
    exchange: Decimal
    told: Sequence[_Told]

    @property
    def asset(self) -> Asset:
        """The asset of a balance, the base asset of a position."""
        return _asset_of(self.place)

    @property
    def whole(self) -> bool:
        """Whether every record that could matter was seen."""
        return self.case.saw_all(behind(self.place.kind))


class _Fault(Struct, frozen=True):
    """What the four proofs of a balance say of a difference."""

    side: Side | None
    divergence: Divergence | None


def _faults(case: Case, policy: Policy) -> Mapping[Place, _Fault]:
    """Return what the proofs of the balances that differ say; nothing where neither side covers movements."""
    if all(side.coverage.movements == Coverage.NONE for side in (case.internal, case.exchange)):
        return {}
    places = {(Asset(each.name), Wallet(each.part)): each for each in case.amounts if each.kind is Kind.BALANCES}
    proofs = proofs_of(case.internal, case.exchange, tolerance=policy.tolerance_of, places=places)
    return {places[place]: _fault(proof) for place, proof in proofs.items()}


def _fault(proof: Proof) -> _Fault:
    told = proof.divergence.told() if proof.divergence else None
    return _Fault(proof.reading.side, told and replace(told, course=proof.course))


def _proven(explanation: Explanation, fault: _Fault | None) -> Explanation:
    """Add which side is at fault and since when, where the proofs tell."""
    return explanation if fault is None else replace(explanation, at_fault=fault.side, divergence=fault.divergence)


def _amount(opened: _Open, policy: Policy, prices: Prices) -> tuple[Explanation, str]:
    """Return why an amount differs, and what is said of the residual; empty for nothing."""
    difference = opened.case.difference_at(opened.place)
    items = tuple([_item(told) for told in opened.told])
    rest = quantity.subtract(difference, quantity.total([item.effect for item in items])) if items else difference
    if not rest:
        return _closed(opened, items, ZERO, proven=_decided(items) and opened.whole), ""
    found = _behind_the_rest(opened, rest, policy, prices)
    if found is not None and found.cause not in _LEAVES_THE_RESIDUAL:
        return _closed(opened, (*items, Item(found.cause, rest, (), "", "pattern", found.note)), ZERO), ""
    searched = _searched(opened, items, rest, found.cause if found else Cause.UNEXPLAINED, policy)
    return searched, found.note if found else ""


def _searched(opened: _Open, items: tuple[Item, ...], rest: Decimal, otherwise: Cause, policy: Policy) -> Explanation:
    """Look for rows that no item uses and that explain the rest; what is found without proof stays a suggestion."""
    if opened.place.kind is not Kind.BALANCES:
        return _closed(opened, items, rest, otherwise)
    used = frozenset(record for item in items for record in item.record_ids)
    pool = pool_of(opened.case, opened.place, used=used)
    if not pool:
        return _closed(opened, items, rest, otherwise)
    found = candidates(
        rest,
        pool,
        tolerance=policy.tolerance_of(opened.asset),
        places=opened.case.exchange.scales.assets.get(opened.asset),
    ).candidates
    if len(found) == 1 and found[0].proven:
        more = tuple(_part(opened, part, found[0]) for part in found[0].parts)
        left, every = quantity.subtract(rest, found[0].effect), (*items, *more)
        proven = not left and _decided(every)
        return _closed(opened, every, left, otherwise, proven=proven, accidents=found[0].expected_accidents)
    alternatives = tuple(_alternative(opened, each, rest) for each in found)
    return _closed(opened, items, rest, otherwise, alternatives=alternatives)


def _decided(items: Iterable[Item]) -> bool:
    """Say whether each of these has a cause: a record that is named and that none fits explains nothing."""
    return all(item.cause is not Cause.UNEXPLAINED for item in items)


def _alternative(opened: _Open, candidate: Candidate, rest: Decimal) -> Alternative:
    parts = tuple(_part(opened, part, candidate) for part in candidate.parts)
    return Alternative(parts, quantity.subtract(rest, candidate.effect), candidate.expected_accidents)


def _part(opened: _Open, part: Part, candidate: Candidate) -> Item:
    """Return one part of a candidate as an item, with the cause that its own rows show where they show one."""
    rows = tuple(
        row
        for record in part.record_ids
        for row in opened.case.rows["exchange"].get(record, ())
        if (row.asset, row.wallet) == (opened.place.name, opened.place.part)
    )
    if rows and quantity.total(map(net, rows)) == part.effect:
        lead = missing_rows(opened.case, rows)
        found = causes_of(lead, opened.case)
        if len(found) == 1:
            return Item(found[0].cause, part.effect, part.record_ids, lead.event, candidate.rests_on, found[0].note)
    return Item(part.cause, part.effect, part.record_ids, part.event, candidate.rests_on, candidate.note)


def _closed(
    opened: _Open,
    items: tuple[Item, ...],
    residual: Decimal,
    residual_cause: Cause = Cause.UNEXPLAINED,
    *,
    proven: bool = False,
    accidents: str | None = None,
    alternatives: tuple[Alternative, ...] = (),
) -> Explanation:
    return Explanation(
        opened.internal, opened.exchange, items, residual, residual_cause, proven, accidents, alternatives
    )


def _item(told: _Told) -> Item:
    lead, found = told.lead, told.causes
    if len(found) == 1:
        return Item(found[0].cause, lead.effect, lead.record_ids, lead.event, "records", found[0].note)
    undecided = " and ".join(sorted(each.cause for each in found))
    note = f"undecided between {undecided}" if found else "no known cause fits this record"
    return Item(Cause.UNEXPLAINED, lead.effect, lead.record_ids, lead.event, "records", note)


def _behind_the_rest(opened: _Open, rest: Decimal, policy: Policy, prices: Prices) -> Recognised | None:
    """Return the cause of what the records leave, where exactly one fits."""
    value = value_of(Stake(rest, opened.asset), prices, policy)
    tolerance, worth = policy.tolerance_of(opened.asset), (value, policy.trivial_value, policy.reporting_currency)
    found = causes_of_rest(Rest(opened.place, rest, opened.case, tolerance, *worth))
    return found[0] if len(found) == 1 else None


class _Roots(Struct, frozen=True):
    """Gathers what belongs to one event."""

    case: Case
    explanations: Mapping[Key, Explanation]
    causes: Mapping[Key, Recognised]
    rests: Mapping[Key, str]
    policy: Policy
    prices: Prices

    def ranked(self) -> tuple[RootCause, ...]:
        """Return one root cause per event, the most valuable first; without a price last, then by event."""
        items, events = self._items(), events_of(self.case, self.explanations)
        roots = [self._root(event, keys, items.get(event, ())) for event, keys in events.items()]
        return tuple(sorted(roots, key=_rank))

    def _items(self) -> Mapping[str, Sequence[tuple[Key, Item]]]:
        """Return the items under their events, those without an event under their key."""
        events: dict[str, list[tuple[Key, Item]]] = {}
        for key, explanation in self.explanations.items():
            for item in explanation.items:
                events.setdefault(item.event or str(key), []).append((key, item))
        return events

    def _root(self, event: str, keys: Sequence[Key], items: Sequence[tuple[Key, Item]]) -> RootCause:
        told = [Recognised(item.cause, item.note) for _, item in items]
        told += [self.causes[key] for key in keys if key in self.causes]
        best = next((each for each in told if each.cause is not Cause.UNEXPLAINED), None)
        best = best or (told[0] if told else self._unexplained(keys))
        return RootCause(
            best.cause,
            event,
            best.note,
            tuple(dict.fromkeys([record for _, item in items for record in item.record_ids])),
            tuple(sorted(map(str, keys))),
            self._value(items, keys),
        )

    def _unexplained(self, keys: Sequence[Key]) -> Recognised:
        """Return that nothing is known, with the amount that is left."""
        key = keys[0]
        explanation = self.explanations.get(key)
        if explanation is None:
            return Recognised(Cause.UNEXPLAINED, f"no record tells why {key} differs")
        left = quantity.short(explanation.residual)
        said = self.rests.get(key, "no record explains it")
        return Recognised(explanation.residual_cause, f"{left} {key.name} {key.part}: {said}")

    def _value(self, items: Sequence[tuple[Key, Item]], keys: Sequence[Key]) -> Decimal | None:
        """Return the largest value among the effects; of an event without effects, what its findings have at stake."""
        stakes = [Stake(item.effect, _asset_of(key)) for key, item in items] or [
            stake for key in keys for stake in stake_assets(self.case.unlike[key])
        ]
        values = [value_of(stake, self.prices, self.policy) for stake in stakes]
        return max([value for value in values if value is not None], default=None)


def _rank(root: RootCause) -> tuple[bool, Decimal, str]:
    return root.value is None, quantity.negate(root.value or ZERO), root.event


def _asset_of(place: Key | Place) -> Asset:
    """Return the asset of a balance, the base asset of a position."""
    assets = base_and_quote(Instrument(place.name)) if place.kind is Kind.POSITIONS else None
    return assets[0] if assets else Asset(place.name)


def explained_share(found: Sequence[Discrepancy]) -> Decimal | None:
    """Return which part of the value at stake in balances and positions is explained without residual, 0 to 1.

    A record that is named, and whose cause nobody knows, explains nothing.
    """
    bridged = [
        (one.value, one.bridge)
        for one in found
        if not isinstance(one, RecordDiscrepancy) and one.bridge is not None and one.value
    ]
    if not bridged:
        return None
    clear = [value for value, bridge in bridged if not bridge.residual and _decided(bridge.items)]
    return quantity.rounded_quotient(quantity.total(clear), quantity.total([value for value, _ in bridged]), 4)
