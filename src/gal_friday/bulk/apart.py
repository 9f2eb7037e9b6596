"""Two tables that are not in one place: each is asked where it may differ from the other, and only that is fetched.

Each side has an engine of its own, which counts all of its rows and tells their digests; see ``segments``. The rows of
accounts that are unlike are fetched from both, sieved and judged here, as if they had been in one place all the time.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from types import TracebackType
from typing import Any

from gal_friday.bulk.duck import Duck, Limits, imported
from gal_friday.bulk.judge import Sieved, Terms, judged
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.postgres import Postgres
from gal_friday.bulk.relation import Relation
from gal_friday.bulk.rows import Rejected, Row, Totals
from gal_friday.bulk.segments import mark_of, unlike_accounts, unlike_segments
from gal_friday.bulk.sieve import SIDES
from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side, Since

Holder = Duck | Postgres
"""An engine that holds one side alone."""
_NAMED = 100_000
"""So many accounts are named in a statement; of more the whole segments are fetched."""


class Apart:
    """An engine; used as a context, at whose end both others are closed."""

    def __init__(self, holders: Mapping[Side, Holder], *, exact: bool, limits: Limits) -> None:
        """Take the engine of each side. *exact* trusts no digest: all rows are fetched, and compared by their keys."""
        self._holders, self._exact, self._limits = holders, exact, limits
        self.name = " and ".join(dict.fromkeys(one.name for one in holders.values()))
        self.moved: int | None = None
        self._gathered: _Gathered | None = None
        self._accounts = 0

    def __enter__(self) -> "Apart":
        """Open both engines.

        Raises:
            EngineMissing: one is not installed.
            UnusableTable: a table cannot be read, or is not laid out like that.
        """
        imported()  # it judges in the end, and what is missing is told before anything is read
        with ExitStack() as stack:
            for one in self._holders.values():
                stack.enter_context(one)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close both, and remove what was fetched."""
        self._kept.close()

    @property
    def layouts(self) -> Mapping[Side, Layout]:
        """How both sides are laid out."""
        return {side: one.layouts[side] for side, one in self._holders.items()}

    def names_of(self, side: Side) -> Mapping[str, Asset]:
        """Return what a side calls assets otherwise."""
        return self._holders[side].names_of(side)

    def totals(self, side: Side, *, digests: bool = False) -> Totals:
        """Return how many rows a side has of each asset, and the exact sum of those that its engine can hold."""
        return self._holders[side].totals(side, digests=digests)

    def accounts(self) -> int:
        """Return how many accounts there are, on either side."""
        self._here()
        return self._accounts

    def present(self, accounts: Collection[str]) -> Collection[str]:
        """Return which of these accounts either side has a row of."""
        return {account for one in self._holders.values() for account in one.present(accounts)}

    def held(self, keys: Collection[tuple[str, str, str]]) -> Iterator[Row]:
        """Yield the rows of these accounts, assets and wallets, in no particular order and without their prices."""
        return chain.from_iterable(one.held(keys) for one in self._holders.values())

    def rejected(self, side: Side) -> Iterator[Rejected]:
        """Yield every row of a side that names no key."""
        return self._holders[side].rejected(side)

    def counted(self, _: Side) -> Mapping[Kind, int]:
        """Return how many records of each kind a side has: balances alone are compared so."""
        return {}

    def since(self, _: Side) -> Since:
        """Return of when the oldest record of a side is."""
        return Since()

    def sieved(self, _: Terms) -> Sieved:
        """Return the rows of every key that did not pass, by account."""
        return Sieved(self._survivors(), judged)

    def _survivors(self) -> Iterator[Row]:
        """Yield them.

        Raises:
            EngineFailed: a file was written to meanwhile, or a database is gone.
        """
        yield from self._here().survivors()
        for one in self._holders.values():
            if isinstance(one, Duck):
                one.unchanged()

    def _here(self) -> "_Gathered":
        """Return the rows of both sides that have to be looked at, fetched when that is first asked for."""
        if self._gathered is None:
            self._gathered = self._kept.enter_context(
                _Gathered(self._fetched(), exact=self._exact, limits=self._limits)
            )
            self.moved = self._gathered.count
            if self._exact:
                self._accounts = self._gathered.accounts()
        return self._gathered

    def _fetched(self) -> Mapping[Side, Iterator[Row]]:
        if self._exact:
            return {side: one.rows(side, None) for side, one in self._holders.items()}
        # A side that is here is asked, rather than one that is far, what both repeat where they are alike.
        near = min(SIDES, key=lambda side: isinstance(self._holders[side], Postgres))
        repeated = set(self._holders[near].repeated(near))
        segments, self._accounts = unlike_segments(
            (one.segments(side) for side, one in self._holders.items()), repeated
        )
        if not segments:
            return {side: iter(()) for side in SIDES}
        parts = [one.accounts_in(side, segments) for side, one in self._holders.items()]
        accounts = set[str]()
        for account, differs in unlike_accounts(parts, repeated):
            self._accounts += 1
            if differs:
                accounts.add(mark_of(account))
        marks = accounts if len(accounts) <= _NAMED else segments
        return {side: one.rows(side, marks) for side, one in self._holders.items()}


class _Gathered(Duck):
    """The rows that were fetched, as two tables; what their own engines counted is not counted again."""

    def __init__(self, rows: Mapping[Side, Iterator[Row]], *, exact: bool, limits: Limits) -> None:
        layout = Layout(account="account", wallet="wallet", quantity="text")
        super().__init__({}, dict.fromkeys(SIDES, layout), names={}, exact=exact, limits=limits)
        self._rows, self.count = rows, 0

    def _looked_at(self, side: Side) -> Relation:
        kinds = dict.fromkeys(Row._fields, "VARCHAR") | {"fits": "BOOLEAN"}
        self._take(f"rows_of_{side}", kinds, self._counted_rows(side))
        amount = self._words.amount("text", "VARCHAR")
        statement = (
            f"SELECT account, asset, wallet, CASE WHEN fits THEN {amount} END AS amount, text AS raw, "
            f"price AS raw_price, place, fits FROM rows_of_{side}"
        )
        return Relation(statement, "raw", "raw_price", "fits")

    def _counted_rows(self, side: Side) -> Iterator[Mapping[str, Any]]:
        for row in self._rows[side]:
            self.count += 1
            yield row._asdict()
