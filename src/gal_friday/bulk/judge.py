"""What survived the sieve, judged account by account by the comparison that everything else is judged by."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from unicodedata import normalize

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bulk.digest import number_of
from gal_friday.bulk.rows import Rejected, Row, said_by
from gal_friday.bulk.sieve import CROWD, SIDES
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.case import Case
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.discrepancy import NOT_KNOWN, Discrepancy, Grader, Why, discrepancies_of
from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.explain import explain
from gal_friday.domain.finding import Agrees, CannotTell, ExchangeOnly, Finding, InternalOnly, Key
from gal_friday.domain.materiality import Prices
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Position, Record
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Side, Since, Snapshot


class Terms(Struct, frozen=True, kw_only=True):
    """By what is judged."""

    policy: Policy
    prices: Prices
    """Of one unit; what a table says for an account comes before it."""
    exchange: str
    account: str
    """The name of the account where the tables name none."""
    as_of: datetime
    coverage: Mapping[Side, Coverage]
    """Partial where a side is not whole: what is absent there is unknown."""
    watched: Mapping[str, Collection[Key]] = {}
    """Keys that differed before, by account: they are judged although no row of them survives."""
    absent: Collection[str] = ()
    """Accounts of these that neither table has."""
    with_sides: bool = False
    """Whether what both sides hold is handed over with what is found."""
    records: Mapping[Side, Mapping[Kind, Coverage]] = {}
    """Of each kind of record that is compared besides, how much of it a side has."""
    since: Mapping[Side, Since] = {}
    """From when on a side has its records."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All kinds that are compared."""
        return (Kind.BALANCES, *self.records.get("internal", ()))


class Read(Struct, frozen=True):
    """The records of one account, as far as they could be read."""

    rows: Mapping[Side, Mapping[Kind, Sequence[Record]]] = {}
    coverage: Mapping[Side, Mapping[Kind, Coverage]] = {}
    rejected: tuple[Rejected, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()


class Sieved(Struct, frozen=True):
    """Rows of accounts that may differ, which come by account, and what judges them."""

    rows: Iterable[Any]
    judge: Callable[[Iterable[Any], Terms], Iterator["Judged"]]


_NO_RECORDS = Read()
_CROWDED = f"more than {CROWD} rows have this key, and none of them is judged: name with --key what tells them apart"


class Judged(Struct, frozen=True):
    """One account: every key that survived the sieve and does not agree, sorted by key."""

    account: str
    rows: int
    """Of balances."""
    agreed: int
    """Balances."""
    findings: tuple[Finding, ...]
    discrepancies: tuple[Discrepancy, ...]
    rejected: tuple[Rejected, ...]
    wide: tuple[tuple[Side, Balance, int], ...]
    """Rows whose amount the engine could not hold, each with its number in a digest."""
    near: tuple[tuple[str, str], ...]
    """Assets that only the book has, with those that only the exchange has and that nearly have the same name."""
    watched: tuple[Finding, ...] = ()
    """What is found of the keys that are watched."""
    unseen: frozenset[Key] = frozenset()
    """Those of them that no row survived of: what is found of them is said there alone."""
    sides: tuple[Snapshot, Snapshot] | None = None
    """What both sides hold of all these keys, where that was asked for."""
    prices: Prices = {}
    """Of one unit, in this account; with the sides alone."""
    kinds: tuple[Kind, ...] = (Kind.BALANCES,)
    """What was compared."""
    looked_at: Mapping[Kind, int] = {}
    """Records of the exchange that were looked at, by kind."""
    agreed_records: Mapping[Kind, int] = {}
    """Records that agree, of those that were looked at."""


def judged(rows: Iterable[Row], terms: Terms) -> Iterator[Judged]:
    """Yield each account of these rows, which come by account."""
    for account, some in groupby(rows, key=lambda row: row.account):
        named = [row for row in some if row.asset]
        if account is not None and named:
            yield judged_account(account or terms.account, named, terms)


def accounts(sieved: Sieved | Iterator[Judged], terms: Terms) -> Iterator[Judged]:
    """Yield the accounts of these rows, judged; or what the engine has judged."""
    return sieved.judge(sieved.rows, terms) if isinstance(sieved, Sieved) else sieved


def also_watched(found: Iterable[Judged], held: Iterable[Row], terms: Terms) -> Iterator[Judged]:
    """Yield these accounts, which come by name, and in their order those that are watched and nothing survived of.

    *held* are the rows of watched keys: of those that passed the sieve it is seen by them that they agree.
    """
    rows: dict[str, list[Row]] = {}
    for row in held:
        rows.setdefault(row.account or terms.account, []).append(row)
    watched = deque(sorted(terms.watched))
    for one in found:
        while watched and watched[0] <= one.account:
            if (other := watched.popleft()) != one.account:
                yield judged_account(other, rows.get(other, ()), terms)
        yield _passed(one, rows.get(one.account, ()), terms)
    yield from (judged_account(other, rows.get(other, ()), terms) for other in watched)


def _passed(one: Judged, held: Iterable[Row], terms: Terms) -> Judged:
    """Return an account with what its watched keys hold that passed the sieve."""
    passed = [row for row in held if _key(row) in one.unseen]
    if not passed:
        return one
    keys = frozenset(map(_key, passed))
    more = judged_account(one.account, passed, replace(terms, watched={one.account: keys}))
    watched = (*(finding for finding in one.watched if finding.key not in keys), *more.watched)
    return replace(
        one, rows=one.rows + more.rows, agreed=one.agreed + more.agreed, unseen=one.unseen - keys,
        watched=tuple(sorted(watched, key=lambda finding: finding.key)), sides=_joined(one.sides, more.sides),
    )  # fmt: skip


def _joined(one: tuple[Snapshot, Snapshot] | None, other: tuple[Snapshot, Snapshot] | None) -> Any:
    if one is None or other is None:
        return None
    both = zip(one, other, strict=True)
    return tuple(replace(mine, balances=(*mine.balances, *more.balances)) for mine, more in both)


def _key(row: Row) -> Key:
    return Key(Kind.BALANCES, row.asset, row.wallet)


def judged_account(account: str, rows: Sequence[Row], terms: Terms, records: Read = _NO_RECORDS) -> Judged:
    """Return what is found in one account that holds these balances and records."""
    kinds = terms.kinds
    balances, prices, untold = _balances(account, rows, terms)
    watched = frozenset(terms.watched.get(account, ()))
    sides = _sides(account, balances.rows, records, terms)
    every = _findings(*sides, terms, watched)
    if untold:
        read = (one for one in every if one.key not in untold)
        every = tuple(sorted((*read, *untold.values()), key=lambda one: one.key))
    unseen = watched and frozenset(one for one in watched if not _seen(one, rows, records))
    told = [one for one in every if one.key not in unseen] if unseen else every
    unlike = tuple([one for one in told if type(one) is not Agrees])
    grader = Grader(account, terms.exchange, terms.policy, prices, terms.as_of)
    why = explain(Case(*sides, unlike), policy=terms.policy, prices=prices).why if kinds[1:] else _not_asked
    agreed = Counter([one.key.kind for one in told if type(one) is Agrees])
    return Judged(
        account=account,
        rows=sum(row.times for row in rows),
        agreed=agreed[Kind.BALANCES],
        findings=unlike,
        discrepancies=tuple(one for finding in unlike for one in discrepancies_of(finding, grader, why(finding.key))),
        rejected=(*balances.rejected, *records.rejected),
        wide=balances.wide,
        near=_near(unlike),
        watched=tuple(one for one in every if one.key in watched),
        unseen=unseen,
        sides=sides if terms.with_sides else None,
        prices=prices if terms.with_sides else {},
        kinds=kinds,
        looked_at=_looked_at(records),
        agreed_records={kind: agreed[kind] for kind in kinds[1:]},
    )


def _looked_at(records: Read) -> Mapping[Kind, int]:
    if not records.rows:
        return {}
    refused = Counter(one.kind for one in records.rejected if one.side == "exchange")
    return {kind: len(some) + refused[kind] for kind, some in records.rows.get("exchange", {}).items()}


class _Balances(Struct, frozen=True):
    rows: Mapping[Side, Sequence[Balance]]
    rejected: Sequence[Rejected]
    wide: tuple[tuple[Side, Balance, int], ...]


def _balances(
    account: str, rows: Sequence[Row], terms: Terms
) -> tuple[_Balances, dict[Asset, Decimal], Mapping[Key, CannotTell]]:
    """Return the balances of an account, what its own rows say of prices, and the keys of rows that cannot be read."""
    read: dict[Side, list[Balance]] = {side: [] for side in SIDES}
    prices, rejected, untold = dict(terms.prices), list[Rejected](), dict[Key, CannotTell]()
    wide = list[tuple[Side, Balance, int]]()
    for row in rows:
        if row.times > 1:
            untold[_key(row)] = CannotTell(_key(row), _CROWDED, row.side)
            continue
        try:
            balance = _balance(row)
            if row.price is not None:
                prices[Asset(row.asset)] = quantity.parse(row.price)
        except (MalformedAmount, ValueError) as wrong:
            said = said_by(account, row.asset, row.text, row.price)
            rejected.append(Rejected(row.side, row.place, None, str(wrong), said))
            key = _key(row)
            untold[key] = CannotTell(key, f"a row of the {row.side} side cannot be read: {wrong}", row.side)
        else:
            read[row.side].append(balance)
            if not row.fits:
                wide.append((row.side, balance, number_of(row.account or "", row.asset, row.wallet, balance.total)))
    return _Balances(read, rejected, tuple(wide)), prices, untold


def _seen(key: Key, rows: Iterable[Row], records: Read) -> bool:
    """Say whether any row of this account is about a watched key."""
    if key.kind is Kind.BALANCES:
        return any(_key(row) == key for row in rows)
    every = (row for some in records.rows.values() for row in some.get(key.kind, ()))
    return any(key.name in _names_of(row) for row in every)


def _names_of(record: Record) -> tuple[str | None, ...]:
    match record:
        case Movement():
            return record.movement_id, record.refers_to
        case Fill():
            return (record.fill_id,)
        case Position():
            return (record.instrument,)
        case _:
            return ()


def _not_asked(_: Key) -> Why:
    """Say nothing of why: balances alone do not tell."""
    return NOT_KNOWN


def _near(findings: Iterable[Finding]) -> tuple[tuple[str, str], ...]:
    alone: dict[type, dict[str, str]] = {InternalOnly: {}, ExchangeOnly: {}}
    for one in findings:
        if type(one) in alone and one.key.kind is Kind.BALANCES:
            alone[type(one)][_folded(one.key.name)] = one.key.name
    ours, theirs = alone[InternalOnly], alone[ExchangeOnly]
    return tuple((ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys()))


def _folded(name: str) -> str:
    return normalize("NFKC", name).casefold().strip()


def _balance(row: Row) -> Balance:
    if row.text is None:
        raise MalformedAmount("", "there is none")
    return Balance(Asset(row.asset), Wallet(row.wallet), quantity.parse(row.text))


def _sides(
    account: str, read: Mapping[Side, Sequence[Balance]], records: Read, terms: Terms
) -> tuple[Snapshot, Snapshot]:
    held: dict[Side, dict[str, Any]] = {
        side: {str(kind): tuple(some) for kind, some in each.items()} for side, each in records.rows.items()
    }
    ours, theirs = (
        Snapshot(
            side=side,
            account=account,
            exchange=terms.exchange,
            as_of=terms.as_of,
            coverage=_coverage(side, records, terms),
            since=terms.since.get(side, Since()),
            balances=tuple(read[side]),
            **held.get(side, {}),
            not_checked=tuple(gap for gap in records.not_checked if gap.side == side),
        )
        for side in SIDES
    )
    return ours, theirs


def _coverage(side: Side, records: Read, terms: Terms) -> Coverages:
    known = {**terms.records.get(side, {}), **records.coverage.get(side, {})}
    return Coverages(balances=terms.coverage[side], **{str(kind): covered for kind, covered in known.items()})


def _findings(ours: Snapshot, theirs: Snapshot, terms: Terms, watched: Collection[Key]) -> tuple[Finding, ...]:
    """Return what is found; of balances that were open nothing is known where neither table of balances has any."""
    if not watched:
        return compare_snapshots(ours, theirs, policy=terms.policy, only=terms.kinds)
    kinds = (Kind.BALANCES,) if any(side.rows(kind) for side in (ours, theirs) for kind in terms.kinds) else terms.kinds
    gone = {key for key in watched if key.kind in kinds} if ours.account in terms.absent else set()
    left = [key for key in watched if key not in gone]
    found = compare_snapshots(ours, theirs, policy=terms.policy, watched=left, only=terms.kinds)
    return (*found, *(CannotTell(key, "neither table has this account") for key in sorted(gone)))
