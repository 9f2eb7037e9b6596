"""Which accounts have records that are not the same on both sides, and all that such an account holds.

An account passes where both sides hold the same rows, each once. Nothing is added up but hashes, and no row is matched
with another: every account that does not pass is judged by the comparison, with all its rows, so that a cause is found
by all that the service would find it by. Of an account that has too many of them for that, a day of a market maker, the
rows are left out that are the same on both sides.
"""

from collections.abc import Iterator, Mapping, Sequence

from gal_friday.bulk.forms import BY_EVENT, LEG, MOVEMENTS, WIDTH, Form
from gal_friday.bulk.record_relation import RecordRelation, RecordWords, nameless, texts
from gal_friday.bulk.sieve import SIDES, repeated, unlike
from gal_friday.domain.snapshot import Side

_ASKED = 1_000
Relations = Mapping[Side, RecordRelation]
"""Both sides of one form."""


def name_of(form: Form, side: Side) -> str:
    """Return what a side's table of records is called in statements."""
    return f"{form.kind}_{side}"


def shares_ids(form: Form) -> str:
    """Return the statement that says whether the book has any of the ids that the exchange gave to legs of fills.

    Of its first legs by id: a book has them, or makes up its own.
    """
    ours, theirs = (name_of(form, side) for side in SIDES)
    some = f"SELECT account, movement_id FROM {ours} WHERE {LEG} ORDER BY movement_id, account LIMIT {_ASKED}"
    return f"SELECT count(*) FROM ({some}) AS legs JOIN {theirs} AS other USING (account, movement_id)"


def alike(form: Form, relations: Relations, *, by_id: bool) -> Sequence[str]:
    """Return the expressions that are the same on both sides where nothing differs."""
    has = frozenset.intersection(*(relations[side].has for side in SIDES))
    same = form.same if by_id or form is not MOVEMENTS else (*BY_EVENT, *form.same[1:])
    return (*same, *(one for column, more in form.both.items() if column in has for one in more))


def unlike_by_hash(form: Form, hashes: Sequence[str], names: str, whole: str, *, by_id: bool) -> Iterator[str]:
    """Yield the statements that yield accounts that do not pass, by hashes of rows and of the *names* of records."""
    ours, theirs = (_read(form, side) for side in SIDES)
    found = unlike(ours, theirs, hashes=hashes, amount="CASE WHEN sound = 1 THEN 1 END", whole=whole)
    yield f"SELECT segment AS account FROM ({found}) AS found"
    yield from (repeated(name_of(form, side), mark=names) for side in (SIDES[:1] if by_id else SIDES))


def unlike_by_rows(form: Form, same: Sequence[str], *, by_id: bool) -> Iterator[str]:
    """Yield the statements that yield accounts that do not pass, row by row."""
    columns = ", ".join(f"{one} AS same_{at}" for at, one in enumerate(same))
    names = ", ".join(f"same_{at}" for at in range(len(same)))
    one, other = (
        f"SELECT account, {columns}, sound, {at} AS side FROM {_read(form, side)}" for at, side in enumerate(SIDES)
    )
    passes = "COUNT(*) = 2 AND SUM(side) = 1 AND MIN(sound) = 1"
    yield f"SELECT account FROM ({one} UNION ALL {other}) AS rows GROUP BY account, {names} HAVING NOT ({passes})"
    for side in SIDES[:1] if by_id else SIDES:
        yield (f"SELECT account FROM {name_of(form, side)} GROUP BY account, {', '.join(form.id)} HAVING COUNT(*) > 1")


def _read(form: Form, side: Side) -> str:
    """Return a side's rows that the other side has to have too."""
    name = name_of(form, side)
    return f"(SELECT * FROM {name} WHERE NOT ({form.own} AND sound = 1)) AS {name}" if side == "internal" else name


def large(form: Form, most: int) -> str:
    """Return the statement that yields accounts that did not pass and have more than so many records of this form."""
    one, other = (
        f"SELECT account FROM {name_of(form, side)} WHERE account IN (SELECT account FROM unlike)" for side in SIDES
    )
    return f"SELECT account FROM ({one} UNION ALL {other}) AS rows GROUP BY account HAVING COUNT(*) > {most}"


def alone(form: Form, mark: str) -> str:
    """Return the statement that yields what the rows of such accounts say, by *mark*, that are not the same on both."""
    one, other = (
        f"SELECT account, {mark} AS mark, sound, {at} AS side FROM {name_of(form, side)} "
        f"WHERE account IN (SELECT account FROM large_{form.kind})"
        for at, side in enumerate(SIDES)
    )
    passes = "COUNT(*) = 2 AND SUM(side) = 1 AND MIN(sound) = 1"
    return f"SELECT account, mark FROM ({one} UNION ALL {other}) AS rows GROUP BY account, mark HAVING NOT ({passes})"


def handed(form: Form, side: Side, words: RecordWords, mark: str | None) -> str:
    """Return the statement of a side's rows of the accounts that did not pass; of large ones of rows that are alone.

    Without a *mark* none is large. Rows out of a chain show no gap in it: of large ones running balances are left out.
    """
    cells, chosen = [*texts(form)], ""
    if mark is not None:
        in_large = f"account IN (SELECT account FROM large_{form.kind})"
        chosen = f" AND (NOT {in_large} OR (account, {mark}) IN (SELECT account, mark FROM alone_{form.kind}))"
        chain = f"CASE WHEN NOT {in_large} THEN balance_after_text END"
        cells = [chain if one == "balance_after_text" else one for one in cells]
    cells += [f"CAST(NULL AS {words.characters})"] * (WIDTH - len(cells))
    named = ", ".join(f"{one} AS cell_{at}" for at, one in enumerate(cells))
    return (
        f"SELECT account, '{form.kind}' AS kind, '{side}' AS side, place, 1 AS fits, {named} "
        f"FROM {name_of(form, side)} "
        f"WHERE account IN (SELECT account FROM unlike) AND NOT ({nameless(form)}){chosen}"
    )
