"""From what differs to what could be posted: one candidate for each event that went wrong.

Whatever the exchange's records tell is repaired by those records: the missed fill under its own id, with its ledger
rows; a duplicate taken back; an order brought to the state that the exchange states. Where no record explains a
balance or a position, a plug is what is left. Each candidate carries what stands against it; whether it is
posted is decided elsewhere (``decision``), and nothing here writes.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentType,
    Effect,
    Plug,
    Posting,
    adjustment_id,
)
from gal_friday.domain.bar import bars_of
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.case import Case, behind
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.explanation import Explanation, Item
from gal_friday.domain.finding import Agrees, DiscrepancyType, Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.postings import changes_of, postings_of, type_of
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.root import RootCause
from gal_friday.domain.snapshot import Snapshot

_PLUGGED = {
    DiscrepancyType.BALANCE_MISMATCH: AdjustmentType.BALANCE,
    DiscrepancyType.QUANTITY_MISMATCH: AdjustmentType.POSITION_QUANTITY,
    DiscrepancyType.POSITION_MISSING_EXCHANGE: AdjustmentType.POSITION_QUANTITY,
    DiscrepancyType.POSITION_MISSING_INTERNAL: AdjustmentType.ADD_POSITION,
}


def candidates_of(
    report: ReconciliationReport,
    internal: Snapshot,
    exchange: Snapshot,
    followed: Mapping[str, Followed],
    *,
    policy_version: str = "",
) -> tuple[Candidate, ...]:
    """Return one candidate per root cause of the report, in its order, and one for each discrepancy that has none.

    *followed* are the discrepancies as they stand after this run, by id.
    """
    case = Case(internal, exchange, (finding for finding in report.findings if type(finding) is not Agrees))
    repairs = _Repairs(report, case, followed, policy_version)
    found = [repairs.candidate(root) for root in report.root_causes]
    told = {one for candidate in found for one in candidate.discrepancies}
    alone = [one for one in report.discrepancies if one.id not in told]
    return (*found, *(repairs.without_cause(one) for one in alone))


class _Repairs:
    """Builds the candidates of one run; keeps what the earlier ones would make of each amount."""

    def __init__(
        self, report: ReconciliationReport, case: Case, followed: Mapping[str, Followed], policy_version: str
    ) -> None:
        self._report = report
        self._case = case
        self._followed = followed
        self._policy_version = policy_version
        self._by_key: dict[str, list[Discrepancy]] = {}
        for one in report.discrepancies:
            self._by_key.setdefault(one.key, []).append(one)
        self._keys = {str(key): key for key in case.unlike}
        self._amounts = _amounts_of(case.internal)

    def candidate(self, root: RootCause) -> Candidate:
        found = [one for key in root.symptoms for one in self._by_key.get(key, ())]
        keys = tuple(self._keys[key] for key in root.symptoms if key in self._keys)
        # Not the time of this run: the next one has to come to the same postings, and so to the same adjustment.
        opened = max((one.opened_at for one in self._known(found)), default=self._report.cut.exchange)
        postings = tuple(postings_of(self._case, root.event, keys, opened))
        if not postings:
            return self._plugged(root.event, root.cause, root.note, found, root.value)
        effects = self._effects(postings)
        bars = bars_of(self._report, self._case, keys, [effect.key for effect in effects])
        made = self._made(type_of(self._case, postings), postings, found, effects, root)
        proven = bool(found) and all(_is_proven(one, root.event, effects, self._case) for one in found)
        return self._candidate(root.event, root.cause, found, made, bars, root.value, proven=proven)

    def without_cause(self, one: Discrepancy) -> Candidate:
        """Return the candidate for a discrepancy that no root cause names."""
        return self._plugged(one.key, one.cause or Cause.UNEXPLAINED, one.explanation or "", [one], one.value)

    def _plugged(
        self, event: str, cause: str, note: str, found: Sequence[Discrepancy], value: Decimal | None
    ) -> Candidate:
        plugs = [(one, plug) for one in found if (plug := _plug_of(one)) is not None]
        keys = tuple(self._keys[one.key] for one in found if one.key in self._keys)
        bars = bars_of(self._report, self._case, keys, [one.key for one, _ in plugs])
        if len(found) != 1 or len(plugs) != 1:
            bars = replace(bars, lasting=(*bars.lasting, "no record of the exchange repairs it"))
            return self._candidate(event, cause, found, None, bars, value)
        (one, plug), root = plugs[0], RootCause(Cause(cause), event, note, (), (found[0].key,), value)
        effect = self._moved(one.key, plug.amount)
        made = self._made(_PLUGGED[one.type], (plug,), found, (effect,), root)
        return self._candidate(event, cause, found, made, bars, value, difference=plug.amount, whole=_whole(one))

    def _candidate(
        self,
        event: str,
        cause: str,
        found: Sequence[Discrepancy],
        made: Adjustment | None,
        bars: Bars,
        value: Decimal | None,
        *,
        proven: bool = False,
        difference: Decimal = ZERO,
        whole: Decimal | None = None,
    ) -> Candidate:
        known = self._known(found)
        return Candidate(
            event=event,
            cause=cause,
            discrepancies=tuple(sorted(one.id for one in found)),
            keys=tuple(sorted({one.key for one in found})),
            adjustment=made,
            bars=bars,
            proven=proven,
            confirmed=any(one.state == "confirmed" for one in found) or (proven and bool(self._report.cut.clean)),
            value=value,
            difference=difference,
            whole=whole,
            runs=min((one.clean_observations for one in known), default=0),
            flips=max((one.flips for one in known), default=0),
        )

    def _made(
        self,
        kind: AdjustmentType,
        postings: tuple[Posting, ...],
        found: Sequence[Discrepancy],
        effects: tuple[Effect, ...],
        root: RootCause,
    ) -> Adjustment:
        report, known = self._report, self._known(found)
        generation = max((one.opened_at.isoformat() for one in known), default="")
        return Adjustment(
            adjustment_id=adjustment_id(report.account, report.exchange, postings, generation),
            account=report.account,
            exchange=report.exchange,
            type=kind,
            postings=postings,
            discrepancies=tuple(sorted(one.id for one in found)),
            keys=tuple(sorted({one.key for one in found})),
            effects=effects,
            record_ids=() if kind.is_plug else root.record_ids,
            cause=root.cause,
            reason=root.note or f"{root.cause} of {root.event}",
            value=root.value,
            reconciliation_id=report.reconciliation_id,
            book_version=self._case.internal.version,
            policy_version=self._policy_version,
            at=report.cut.exchange,
        )

    def _known(self, found: Sequence[Discrepancy]) -> list[Followed]:
        return [self._followed[one.id] for one in found if one.id in self._followed]

    def _effects(self, postings: Sequence[Posting]) -> tuple[Effect, ...]:
        changes = changes_of(self._case, postings)
        return tuple(self._moved(key, change) for key, change in sorted(changes.items()) if change)

    def _moved(self, key: str, change: Decimal) -> Effect:
        before = self._amounts.get(key, ZERO)
        self._amounts[key] = quantity.add(before, change)
        return Effect(key, before, self._amounts[key])


def _amounts_of(snapshot: Snapshot) -> dict[str, Decimal]:
    balances = {str(Key(Kind.BALANCES, row.asset, row.wallet)): row.total for row in snapshot.balances}
    return balances | {str(Key(Kind.POSITIONS, row.instrument, row.mode)): row.quantity for row in snapshot.positions}


def _is_proven(one: Discrepancy, event: str, effects: Sequence[Effect], case: Case) -> bool:
    """Say whether the records explain it to the last digit, and posting them moves it by just what they explain."""
    if isinstance(one, RecordDiscrepancy):
        return one.cause is not None and one.cause != Cause.UNEXPLAINED
    if one.bridge is None or one.bridge.residual:
        return False
    explained = quantity.total(item.effect for item in one.bridge.items if item.event == event)
    if [effect.change for effect in effects if effect.key == one.key] != [explained]:
        return False
    return one.bridge.proven or (_stands_alone(one.bridge, event, case) and case.saw_all(behind(_kind_of(one))))


def _kind_of(one: BalanceDiscrepancy | PositionDiscrepancy) -> Kind:
    return Kind.BALANCES if isinstance(one, BalanceDiscrepancy) else Kind.POSITIONS


def _stands_alone(bridge: Explanation, event: str, case: Case) -> bool:
    """Say whether the records of this event are beyond doubt, though nobody knows why of another one in its amount.

    What is undecided must not be the same thing under another name: that would take its effect back.
    """
    own = [item for item in bridge.items if item.event == event]
    undecided = [item for item in bridge.items if item.cause is Cause.UNEXPLAINED]
    if not own or not bridge.by_records or any(item in undecided for item in own):
        return False
    return not any(_may_be_one(mine, other, case) for mine in own for other in undecided)


def _may_be_one(mine: Item, other: Item, case: Case) -> bool:
    against = (mine.effect > ZERO) != (other.effect > ZERO)
    ours, theirs = _sorts(mine, case), _sorts(other, case)
    return against and (not ours or not theirs or not ours.isdisjoint(theirs))


def _sorts(item: Item, case: Case) -> set[str]:
    """Return which kinds of records an item rests on; all that belongs to a fill is one kind."""
    names = (item.event, *item.record_ids)
    kinds = {row.kind for rows in case.rows.values() for name in names for row in rows.get(name, ())}
    if case.fill(item.event) is not None:
        kinds.add("trade")
    return {"trade" if kind in FILL_LEG_KINDS else kind for kind in kinds}


def _plug_of(one: Discrepancy) -> Plug | None:
    """Return what would force the two sides together, where no record explains any of it."""
    if isinstance(one, RecordDiscrepancy) or one.type not in _PLUGGED:
        return None
    if one.bridge is not None and any(item.record_ids for item in one.bridge.items):
        return None
    match one:
        case BalanceDiscrepancy():
            return Plug(Kind.BALANCES, one.currency, one.wallet, one.difference)
        case PositionDiscrepancy():
            return Plug(Kind.POSITIONS, one.trading_pair, one.mode, one.difference)


def _whole(one: Discrepancy) -> Decimal | None:
    match one:
        case BalanceDiscrepancy(missing_on=None) | PositionDiscrepancy(type=DiscrepancyType.QUANTITY_MISMATCH):
            return max(quantity.absolute(one.internal), quantity.absolute(one.exchange))
        case _:
            return None
