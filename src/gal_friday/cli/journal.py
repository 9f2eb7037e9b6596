"""``gal-friday journal``: verified, shown, exported, and its heads handed to somewhere outside.

Verifying changes nothing. Its exit status is 0 where everything is what was written, and 1 at the first place that
is not; that place is named.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gal_friday.bootstrap import journal as journals
from gal_friday.bootstrap.journal import Anchored, Asked, Verified
from gal_friday.bootstrap.settings import load
from gal_friday.cli.again import named
from gal_friday.cli.columns import aligned, padded, table
from gal_friday.cli.exit_status import DISCREPANCIES, RECONCILED
from gal_friday.cli.files import OWNER_ONLY, UnusableFile, read
from gal_friday.cli.options import AsJson, BadUsage, ConfigFile
from gal_friday.cli.output import STDIN, out, printable, say, write, write_json
from gal_friday.domain.journal import Written, key_id

_PUBLIC_HEX = 64

Kept = Annotated[tuple[str, ...], Parameter(name="--anchor", help="A file of heads that were kept outside.")]
ProofFile = Annotated[
    str | None, Parameter(name="--proof", help="The proof of one entry, to be checked in place of the journal.")
]
Keys = Annotated[tuple[str, ...], Parameter(name="--key", help="The only keys that may have signed: ids, or as hex.")]
To = Annotated[str, Parameter(name="--to", help="The file or the http(s) address that takes the head; - for stdout.")]
Target = Annotated[str, Parameter(help="The file to write.")]
Force = Annotated[bool, Parameter(help="Replace a file that is there.")]
Account = Annotated[str | None, Parameter(help="Entries of this account alone.")]
Subject = Annotated[str | None, Parameter(help="Entries about this id, or its beginning.")]
Kind = Annotated[str | None, Parameter(help="Entries of this kind, such as run_finished.")]
Since = Annotated[str | None, Parameter(help="Entries from this day or instant on, as 2026-01-31 or with a time.")]
Limit = Annotated[int, Parameter(help="At most so many, the newest.")]


def verify(
    *,
    anchor: Kept = (),
    key: Keys = (),
    proof: ProofFile = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Verify every entry, every head, and the rows that they speak of; or, without a database, one entry's proof."""
    kept = [head for name in anchor for head in _kept(name)]
    trusted = [_key(word) for word in key]
    if proof is not None:
        return _proven(proof, trusted, kept, as_json=as_json)
    found = asyncio.run(journals.verified(load(config), trusted=trusted, anchored=kept))
    if as_json:
        write_json(found)
    else:
        for line in _result(found):
            out().print(printable(line))
    if found.broken is not None:
        _say_what_next(found, config)
    return RECONCILED if found.broken is None else DISCREPANCIES


def show(
    *,
    account: Account = None,
    subject: Subject = None,
    kind: Kind = None,
    since: Since = None,
    limit: Limit = 50,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Show entries, newest first; looking verifies nothing."""
    if limit <= 0:
        raise BadUsage("--limit goes from 1")
    asked = Asked(account=account, subject=subject, kind=kind, since=_instant(since), limit=limit)
    found = asyncio.run(journals.shown(load(config), asked))
    if as_json:
        write_json({"entries": found, "count": len(found)})
    elif found:
        _show(found)
    else:
        say("the journal has no such entry")
    return RECONCILED


def export(
    target: Target,
    /,
    *,
    account: Account = None,
    since: Since = None,
    force: Force = False,
    config: ConfigFile = None,
) -> int:
    """Write the journal as lines that anybody can verify offline, and the script that does it beside them."""
    path = Path(target)
    script = path.with_name("verify_journal.py")
    if not force and path.exists():
        raise UnusableFile(f"{path} is there already; --force replaces it, or name another file")
    settings, first = load(config), _instant(since)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            lines = asyncio.run(journals.exported(settings, file, account=account, since=first))
        beside.replace(path)
        script.write_bytes(journals.script())
    except OSError as error:
        raise UnusableFile(f"cannot write {path}: {error.strerror}; name a file in a folder that is yours") from error
    finally:
        beside.unlink(missing_ok=True)
    say(f"wrote {path} ({lines} lines); verify it anywhere with: python -I -S {script} {path}")
    return RECONCILED


def anchor(*, to: To = "-", config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Hand the newest signed head to somewhere outside."""
    settings = load(config)
    head = asyncio.run(journals.newest_head(settings))
    if to in {STDIN, "-"}:
        write(head.line())
        asyncio.run(journals.handed_out(settings, head, None))
        return RECONCILED
    place = asyncio.run(journals.handed_out(settings, head, to))
    if as_json:
        write_json(head)
    else:
        out().print(printable(f"{place} has head {head.number} over {head.size} entries"))
    return RECONCILED


def _proven(name: str, trusted: Sequence[str], kept: Sequence[Anchored], *, as_json: bool) -> int:
    """Say whether the proof in this file holds; exit 1 where it does not."""
    proof = journals.proof_in(read(name), source=name)
    flaw, head = journals.flaw_of(proof, trusted), proof.signed.head
    if not flaw and kept and head not in [one.signed.head for one in kept]:
        flaw = "its head is not among those kept outside"
    if as_json:
        write_json({"sound": not flaw, "seq": proof.seq, "head": head, "broken": flaw})
    elif flaw:
        out().print(printable(f"BROKEN at entry {proof.seq}: {flaw}"))
    else:
        out().print(printable(f"verified: entry {proof.seq} is under head {head.number} over {head.size} entries"))
        out().print(printable(f"  root      {head.root}"))
        out().print(printable(f"  signed by {head.key}"))
    return DISCREPANCIES if flaw else RECONCILED


def _kept(name: str) -> Iterator[Anchored]:
    return journals.anchors_in(read(name), source=name)


def _key(word: str) -> str:
    """Return the id of a key that is named by its id or by its public half."""
    if len(word) == _PUBLIC_HEX:
        try:
            return key_id(bytes.fromhex(word))
        except ValueError:
            raise BadUsage(f"--key: {word!r} is no public key; write its 64 hex digits, or its id") from None
    if not word.startswith("key_"):
        raise BadUsage(f"--key: {word!r} is no key; write its id (key_…), or its public half as 64 hex digits")
    return word


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"--since: {text!r} is no day or time such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
    return stated if stated.tzinfo is not None else stated.replace(tzinfo=UTC)


def _result(found: Verified) -> Iterator[str]:
    broken = found.broken
    if broken is not None:
        yield f"BROKEN at {broken.place}: {broken.what}"
        if broken.expected or broken.found:
            yield f"  expected  {broken.expected}"
            yield f"  found     {broken.found}"
        yield f"  verified up to there: {found.entries} entries, {found.heads} heads"
        return
    if not found.entries:
        yield "verified: nothing was written to the journal yet"
        return
    yield f"verified: {found.entries} entries, {found.heads} heads · {found.journal}"
    yield f"  root      {found.root}"
    yield f"  signed by {', '.join(found.keys)}"
    kept = f", {found.anchors} heads kept outside" if found.anchors else ""
    held = f"{found.reports} reports, {found.changes} changes of discrepancies, {found.decisions} steps of decisions"
    yield f"  held against {held}{kept}"


def _say_what_next(found: Verified, config: Path | None) -> None:
    say("keep a copy of the database as it is now, before anything else writes to it")
    verify = f"gal-friday journal verify --anchor FILE{named(config)}"
    say(f"then compare with a backup and with heads kept outside: {verify}")
    if found.broken is not None and found.broken.place.startswith("entry "):
        say(f"what stands around it: gal-friday journal show --limit 1000{named(config)}")


def _show(rows: Sequence[Written]) -> None:
    columns = (
        aligned(["entry", *(str(one.seq) for one in rows)]),
        padded(["at", *(f"{one.at[:10]} {one.at[11:19]} UTC" for one in rows)]),
        padded(["account", *(printable(one.account) for one in rows)]),
        padded(["what", *(printable(one.kind) for one in rows)]),
        padded(["about", *(printable(one.subject) for one in rows)]),
        padded(["by", *(printable(f"{one.actor.name} ({one.actor.known_by})") for one in rows)]),
    )
    for line in table(columns):
        out().print(line)
