"""What every engine that speaks SQL does alike: ask, count, and hand over what survives."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC
from itertools import starmap
from typing import Any

from msgspec import UNSET

from gal_friday.bulk.digest import summed
from gal_friday.bulk.forms import WIDTH, Form
from gal_friday.bulk.judge import Judged, Sieved, Terms, judged
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.record_judge import judged_whole
from gal_friday.bulk.record_relation import nameless, texts, within
from gal_friday.bulk.record_sieve import (
    Relations,
    alike,
    alone,
    handed,
    large,
    name_of,
    shares_ids,
    unlike_by_hash,
    unlike_by_rows,
)
from gal_friday.bulk.relation import Relation, Words
from gal_friday.bulk.rows import Handed, Rejected, Row, Total, Totals, said_by, said_by_record
from gal_friday.bulk.segments import DEPTH, Part
from gal_friday.bulk.sieve import CROWD, KEY, SIDES, Slot, crowds, question, suspects, unlike
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side, Since

_KEY = ", ".join(KEY)


class SqlEngine(ABC):
    """Two relations of one engine, ``internal`` and ``exchange``."""

    name: str
    moved: int | None = None
    """How many rows left their place; None where that is not how it is done."""
    mark: str | None = None
    """An expression that is a hash of the key, by which keys are told apart; the key itself without one."""
    hashes: Sequence[str] = ()
    """Expressions that are hashes of a row without its account. Given, segments without a difference are not sieved."""
    segment = "account"
    """What is so told not to differ, as an expression over a row: an account, or some of its rows."""
    slot: Slot | None = None
    """Numbers for the keys of a segment, where the engine has some."""
    sum = "sum(amount)"
    """The exact sum of amounts, whole and behind the point, with a comma between them where they are two."""
    binary = ""
    """What makes the order of text that of its bytes."""
    whole = "HUGEINT"
    """The type in which hashes of rows are added up."""
    most = 200_000
    """Of an account with more records of a kind, on both sides, rows that are the same on both are left out."""
    once, anew = "MATERIALIZED ", "NOT MATERIALIZED "
    """What says that a named part is worked out once, or each time that it is named; empty where the engine knows."""

    def __init__(self, layouts: Mapping[Side, Layout], names: Mapping[str, Asset], words: Words) -> None:
        """Keep how both sides are laid out. *names* are the book's for assets."""
        self._layouts, self._names, self._words = dict(layouts), names, words
        self._relations: dict[Side, Relation] = {}
        self._records: dict[Form, Relations] = {}
        self._sizes: dict[Side, int] = {}
        """How many rows there are, where they were counted already."""
        self._all_named: dict[Side, bool] = {}
        """Whether every row names account and asset, where that was seen already."""

    @abstractmethod
    def asked(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a statement."""

    @property
    def layouts(self) -> Mapping[Side, Layout]:
        """How both sides are laid out, as far as their tables were looked at."""
        return self._layouts

    def names_of(self, side: Side) -> Mapping[str, Asset]:
        """Return what a side calls assets otherwise."""
        return self._names if side == "internal" else {}

    def totals(self, side: Side, *, digests: bool = False) -> Totals:
        """Return how many rows a side has of each asset, and the exact sum of those that the engine can hold."""
        digest = self._written(summed(self._words)) if digests else "NULL"
        told = self._told(f"SELECT asset, count(*), count(account), {digest}, {self.sum} FROM {side} GROUP BY asset")
        found: Totals = {}
        self._all_named[side] = True
        for asset, count, accounts, number, *parts in sorted(told, key=_by_name):
            self._all_named[side] &= bool(asset) and accounts == count
            found[asset or ""] = Total(count, _exact(parts), quantity.reread(number or "0") if digests else UNSET)
        self._sizes[side] = sum(one.rows for one in found.values())
        return found

    def accounts(self) -> int:
        """Return how many accounts there are, on either side."""
        every = " UNION ALL ".join(f"SELECT account FROM {side}" for side in self._relations)
        ((count,),) = self._told(f"SELECT count(DISTINCT account) FROM ({every}) AS accounts")
        return int(count)

    def present(self, accounts: Collection[str]) -> Collection[str]:
        """Return which of these accounts either side has a row of."""
        named = ", ".join(map(self._words.literal, sorted(accounts)))
        some = " UNION ".join(f"SELECT account FROM {side} WHERE account IN ({named})" for side in self._relations)
        return {account for (account,) in self._told(some)} if accounts else ()

    def held(self, keys: Collection[tuple[str, str, str]]) -> Iterator[Row]:
        """Yield the rows of these accounts, assets and wallets, in no particular order and without their prices."""
        if not keys:
            return
        none = f"CAST(NULL AS {self._words.characters})"
        given = ", ".join(f"({', '.join(map(self._words.literal, key))})" for key in sorted(keys))
        chosen = " UNION ALL ".join(
            f"SELECT {_KEY}, '{side}' AS side, {one.text} AS text, {none} AS price, place, "
            f"{one.fits} AS fits FROM {side} JOIN wanted USING ({_KEY})"
            for side, one in self._relations.items()
        )
        wanted = f"SELECT * FROM (VALUES {given}) AS given({_KEY})"
        yield from starmap(Row, self.asked(self._about(chosen, wanted=wanted)))

    def rejected(self, side: Side) -> Iterator[Rejected]:
        """Yield every row of a side that names no key."""
        nameless = "account IS NULL OR asset IS NULL OR asset = ''"
        text = self._relations[side].text
        told = f"SELECT account, asset, {text} AS text, place FROM {side} WHERE {nameless}"
        rows = f"SELECT * FROM ({told}) AS found ORDER BY {self._in_order('place', 'account', 'asset', 'text')}"
        for account, asset, text, place in () if self._all_named.get(side) else self._told(rows):
            reason = "it names no account" if not account and asset else "it names no asset"
            yield Rejected(side, place, None, reason, said_by(account, asset, text))
        yield from self._nameless_records(side)

    def survivors(self) -> Iterator[Row]:
        """Yield the rows of every key that did not pass, by key, the book's first."""
        order = f"{self._in_order(*KEY)}, side DESC, {self._in_order('text')}"
        yield from starmap(Row, self.asked(f"{self._surviving()} ORDER BY {order}"))

    def _in_order(self, *names: str) -> str:
        """Return the order of these texts, column by column: that of their bytes, and last what is none."""
        return ", ".join(f"{name}{self.binary} NULLS LAST" for name in names)

    def sieved(self, terms: Terms) -> Sieved | Iterator[Judged]:
        """Return the rows of every account in which anything did not pass; or these accounts, judged by the engine."""
        return Sieved(self.handed(terms), judged_whole) if self._records else Sieved(self.survivors(), judged)

    def counted(self, side: Side) -> Mapping[Kind, int]:
        """Return how many records of each kind a side has."""
        parts = [f"SELECT '{form.kind}', count(*) FROM {name_of(form, side)}" for form in self._records]
        return {Kind(kind): count for kind, count in self._told(" UNION ALL ".join(parts))} if parts else {}

    def since(self, side: Side) -> Since:
        """Return of when the oldest record of a side is: what is older is not in its tables."""
        timed = [form for form in self._records if "at" in form.columns]
        words: Any = self._words
        known = within("at_instant", words)
        parts = [f"SELECT '{form.kind}', min(at_instant) FROM {name_of(form, side)} WHERE {known}" for form in timed]
        told = self._told(" UNION ALL ".join(parts)) if parts else ()
        return Since(**{kind: at.replace(tzinfo=UTC) for kind, at in told if at is not None})

    def handed(self, terms: Terms) -> Iterator[Handed]:
        """Yield all rows of every account in which anything did not pass or is watched, by account."""
        unlike, marks = self._sieved(terms)
        parts = {"unlike": unlike}
        for form, mark in marks.items():
            parts |= {f"large_{form.kind}": large(form, self.most), f"alone_{form.kind}": alone(form, mark)}
        statement = self._about(f"{self._handing(marks)} ORDER BY account{self.binary}", **parts)
        for account, kind, side, place, fits, *cells in self.asked(statement):
            yield Handed(account, kind, side, place, bool(fits), tuple(cells))

    def _sieved(self, terms: Terms) -> tuple[str, Mapping[Form, str]]:
        """Return the statement that yields these accounts, and by form what is the same of two rows that are the same.

        The latter is there of each form that an account may have too many rows of.
        """
        words: Any = self._words
        unlike, marks = [*self._watched(terms), self._unlike()], dict[Form, str]()
        for form, relations in self._records.items():
            by_id = form.kind is not Kind.MOVEMENTS or any(count for (count,) in self._told(shares_ids(form)))
            same = alike(form, relations, by_id=by_id)
            unlike += self._unlike_records(form, same, by_id=by_id)
            if form.many:
                marks[form] = words.mark(same)
        return " UNION ".join(unlike), marks

    def _handing(self, marks: Mapping[Form, str]) -> str:
        """Return the statement that yields the rows of these accounts; *marks* of forms that some have too many of."""
        words: Any = self._words
        nothing = f"CAST(NULL AS {self._words.characters})"
        empty = ", ".join(f"{nothing} AS cell_{at}" for at in range(4, WIDTH))
        balances = (
            f"SELECT account, '{Kind.BALANCES}' AS kind, '{side}' AS side, place, "
            f"CASE WHEN {one.fits} THEN 1 ELSE 0 END AS fits, asset AS cell_0, wallet AS cell_1, "
            f"{one.text} AS cell_2, {one.price} AS cell_3, {empty} FROM {side} "
            "WHERE account IN (SELECT account FROM unlike) AND asset <> ''"
            for side, one in self._relations.items()
        )
        records = (handed(form, side, words, marks.get(form)) for form in self._records for side in SIDES)
        return f"SELECT * FROM ({' UNION ALL '.join((*balances, *records))}) AS rows"

    def _unlike_records(self, form: Form, same: Sequence[str], *, by_id: bool) -> Iterator[str]:
        """Return the statements that yield accounts in which records did not pass."""
        if not self.hashes:
            return unlike_by_rows(form, same, by_id=by_id)
        hashes = [part for at in (0, 1) for part in self._halves(self._hash((*same[at:], *same[:at])))]
        names = self._hash(("account", *form.id))
        return unlike_by_hash(form, hashes, names, self.whole, by_id=by_id)

    def _hash(self, expressions: Sequence[str]) -> str:
        """Return a number that is a hash of these."""
        return f"hash({', '.join(expressions)})"

    def _halves(self, number: str) -> Sequence[str]:
        """Return what such a number is added up as: sums have room for it, or for its parts."""
        return (number,)

    def _unlike(self) -> str:
        """Return the statement that yields accounts in which any balance did not pass."""
        if self.mark and self.hashes:
            return suspects(*SIDES, hashes=self.hashes, mark=self.mark, whole=self.whole, slot=self.slot)
        return f"SELECT account FROM ({question(*SIDES)}) AS survivors"

    def _watched(self, terms: Terms) -> Iterator[str]:
        names = {name for account in terms.watched for name in (account, "" if account == terms.account else account)}
        if names:
            given = ", ".join(f"({self._words.literal(name)})" for name in sorted(names))
            yield f"SELECT account FROM (VALUES {given}) AS watched(account)"

    def _nameless_records(self, side: Side) -> Iterator[Rejected]:
        for form in self._records:
            cells = ", ".join(texts(form))
            for place, account, *said in self._told(
                f"SELECT place, account, {cells} FROM {name_of(form, side)} WHERE {nameless(form)} "
                f"ORDER BY {self._in_order('place', 'account', *texts(form))}"
            ):
                lacks = "account" if account is None else form.id[0]
                reason = f"{form.kind}: it names no {lacks}"
                yield Rejected(side, place, None, reason, said_by_record(account, said), form.kind)

    def segments(self, side: Side) -> Iterator[Part]:
        """Yield what a side has of each segment, without rows that name no account."""
        counted = f"SELECT account, {self._counted} FROM {side} WHERE account IS NOT NULL GROUP BY account"
        told = f"count(*), sum(lines), sum(counted), {self._written('sum(digest)')}"
        yield from self._parts(f"SELECT {self._begins(DEPTH)}, NULL, {told} FROM ({counted}) AS accounts GROUP BY 1")

    def accounts_in(self, side: Side, segments: Collection[str]) -> Iterator[Part]:
        """Yield what a side has of each account in these segments, by segment."""
        told = f"{self._begins(DEPTH)} AS segment, account, 1 AS one, {self._counted}"
        some = f"SELECT {told} FROM {side} WHERE {self._in(segments)} GROUP BY account"
        named = f"segment, account, one, lines, counted, {self._written('digest')}"
        yield from self._parts(f"SELECT {named} FROM ({some}) AS accounts ORDER BY segment")

    def repeated(self, side: Side) -> Iterator[str]:
        """Yield the accounts in which a side has several rows of one key; one more than once where several keys are."""
        by = self.mark or _KEY
        for (account,) in self._told(f"SELECT min(account) FROM {side} GROUP BY {by} HAVING count(*) > 1"):
            if account is not None:
                yield account

    def rows(self, side: Side, marks: Collection[str] | None) -> Iterator[Row]:
        """Yield the rows of a side whose accounts have an MD5 that begins with one of these; without *marks* of all.

        All of them are of the same length. Rows that name no account are left out.
        """
        one = self._relations[side]
        told = f"{_KEY}, '{side}' AS side, {one.text} AS text, {one.price} AS price, place, {one.fits} AS fits"
        chosen = "account IS NOT NULL" if marks is None else self._in(marks)
        yield from starmap(Row, self._told(f"SELECT {told} FROM {side} WHERE {chosen}"))

    @property
    def _counted(self) -> str:
        return f"count(*) AS lines, count(amount) AS counted, {summed(self._words)} AS digest"

    def _begins(self, digits: int) -> str:
        return f"left({self._words.md5('account')}, {digits})"

    def _in(self, marks: Collection[str]) -> str:
        # No names: a database in another encoding may have no letters for them.
        named = ", ".join(map(self._words.literal, sorted(marks)))
        return f"{self._begins(len(next(iter(marks))))} IN ({named})"

    def _written(self, number: str) -> str:
        return f"CAST({number} AS {self._words.characters})"

    def _parts(self, statement: str) -> Iterator[Part]:
        for segment, account, accounts, rows, counted, digest in self._told(statement):
            yield Part(segment, account, int(accounts), int(rows), int(counted), digest)

    def _surviving(self) -> str:
        """Return the statement that yields the rows of every key that did not pass."""
        suspects = {"suspects": self._suspects()} if self.hashes else {}
        return self._about(self._found(), **suspects, survivors=self._survivors())

    def _suspects(self) -> str:
        """Return the statement that yields the segments in which anything may differ."""
        return unlike(*SIDES, hashes=self.hashes, whole=self.whole, by=self.segment, slot=self.slot)

    def _survivors(self, condition: str = "TRUE") -> str:
        """Return the statement that yields the keys that did not pass, of those that the *condition* is true of."""
        by, named = (f"{self.mark} AS mark", "mark") if self.mark else (_KEY, _KEY)
        some = f"{condition} AND {self.segment} IN (SELECT segment FROM suspects)" if self.hashes else condition
        asked = question(*(f"(SELECT * FROM {side} WHERE {some}) AS read" for side in SIDES), by=by, named=named)
        if not (self.mark and self.hashes) or self.slot:
            return asked
        more = crowds(f"(SELECT * FROM internal WHERE {condition}) AS read", mark=self.mark)
        return f"SELECT mark, max(lines) AS lines FROM ({asked} UNION ALL {more}) AS every GROUP BY mark"

    def _found(self) -> str:
        """Return the statement that yields the rows of survivors."""
        joined = f"JOIN survivors {f'ON {self.mark} = mark' if self.mark else f'USING ({_KEY})'}"
        chosen = (f"{self._each(side, joined)} UNION ALL {self._crowded(side, joined)}" for side in SIDES)
        return f"SELECT * FROM ({' UNION ALL '.join(chosen)}) AS found"

    def _each(self, side: Side, joined: str) -> str:
        """Return the statement that yields rows one by one: of a crowd those that the engine could not hold."""
        one = self._relations[side]
        told = f"{one.text} AS text, {one.price} AS price, place, {one.fits} AS fits, 1 AS times"
        return f"SELECT {_KEY}, '{side}' AS side, {told} FROM {side} {joined} WHERE lines <= {CROWD} OR NOT {one.fits}"

    def _crowded(self, side: Side, joined: str) -> str:
        """Return the statement that yields one row of each key with too many of them."""
        one = self._relations[side]
        any_one = f"min({one.text}) AS text, min({one.price}) AS price, min(place) AS place"
        some = f"FROM {side} {joined} WHERE lines > {CROWD} AND {one.fits} GROUP BY {_KEY}"
        return f"SELECT {_KEY}, '{side}' AS side, {any_one}, TRUE AS fits, count(*) AS times {some}"

    def _told(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a statement about both relations."""
        return self.asked(self._about(statement))

    def _about(self, statement: str, **more: str) -> str:
        """Return a statement about both relations, and whatever else is named, as one that names all of it."""
        known = [f"{side} AS {self.anew}({one.statement})" for side, one in self._relations.items()]
        for form, relations in self._records.items():
            known += [f"{name_of(form, side)} AS {self.anew}({one.statement})" for side, one in relations.items()]
        known += [f"{name} AS {self.once}({text})" for name, text in more.items()]
        return f"WITH {', '.join(known)} {statement}"


def _exact(parts: Sequence[Any]) -> Any:
    return quantity.total(quantity.reread(str(part)) for part in parts if part is not None)


def _by_name(row: tuple[Any, ...]) -> str:
    return row[0] or ""
