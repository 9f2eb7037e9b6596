"""Where two sides that are not in one place may differ, told by each side alone and in little.

A segment holds every account whose name has an MD5 that begins with the same digits. Of each segment a side tells how
many accounts and rows it has, and the digest of these rows; of segments in which the sides are unlike it tells the same
of each account. Where rows and digests are alike the sides hold the same rows, but for one chance in 2^60. That says
nothing of rows that both sides repeat: those are told by one side alone.
"""

from collections.abc import Collection, Iterable, Iterator
from hashlib import md5
from heapq import merge
from itertools import groupby
from typing import NamedTuple

DEPTH = 3
"""Digits of base 16: 4,096 segments."""


class Part(NamedTuple):
    """What a side has of a segment, or of one account in it."""

    segment: str
    account: str | None
    """None where it is the whole segment."""
    accounts: int
    rows: int
    counted: int
    """Rows whose amount the engine holds: the digest is of them."""
    digest: str | None


def mark_of(account: str) -> str:
    """Return the MD5 of an account's name, which begins with that of its segment."""
    return md5(account.encode(), usedforsecurity=False).hexdigest()


def alike(some: Collection[Part]) -> bool:
    """Say whether these parts are one of each side, and hold the same rows."""
    first, *others = some
    return first.rows == first.counted and others == [first]


def unlike_segments(sides: Iterable[Iterable[Part]], repeated: Iterable[str]) -> tuple[set[str], int]:
    """Return the segments in which anything may differ, and how many accounts there are in all others."""
    parts: dict[str, list[Part]] = {}
    for one in (one for side in sides for one in side):
        parts.setdefault(one.segment, []).append(one)
    found = {segment for segment, some in parts.items() if not alike(some)}
    found.update(mark_of(account)[:DEPTH] for account in repeated)
    return found, sum(some[0].accounts for segment, some in parts.items() if segment not in found)


def unlike_accounts(sides: Iterable[Iterator[Part]], repeated: Collection[str]) -> Iterator[tuple[str, bool]]:
    """Yield every account of these parts, which come by segment, and whether anything may differ in it."""
    for _, some in groupby(merge(*sides, key=_segment), key=_segment):
        parts: dict[str, list[Part]] = {}
        for one in some:
            parts.setdefault(one.account or "", []).append(one)
        yield from ((account, account in repeated or not alike(each)) for account, each in parts.items())


def _segment(part: Part) -> str:
    return part.segment
