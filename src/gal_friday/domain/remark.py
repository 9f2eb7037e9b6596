"""What people type: a name, a note, an end. Checked once, so that nothing hostile or endless is ever kept.

A note is plain text: what cannot be seen is refused, because it would hide in a terminal, a page or a database.
Nothing here decides what a remark is good for.
"""

from datetime import UTC, datetime, timedelta

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.person import UNSEEN, is_reserved

NOTE_MAX = 2_000
"""Characters: what a person reads, not a file."""
NAME_MAX = 80
UNTIL_MAX = timedelta(days=366)
"""Nothing is put aside for longer: whoever still means it then says so again."""


class MalformedRemark(GalFridayError, ValueError):
    """A name, a note or an end that cannot be kept; the message says which, why, and what would do."""


def note_of(text: str) -> str:
    """Return the note with its line ends and blanks made plain, and none around it. May be empty.

    Raises:
        MalformedRemark: too long, or with a character that cannot be seen.
    """
    plain = _plain(text.replace("\r\n", "\n"), "note")
    if len(plain) > NOTE_MAX:
        raise MalformedRemark(f"the note has {len(plain)} characters and may have {NOTE_MAX}; say it shorter")
    return plain


def name_of(text: str, what: str = "name") -> str:
    """Return the name of a person, in one line.

    Raises:
        MalformedRemark: empty, too long, with a character that cannot be seen, or the name of no person.
    """
    plain = _plain(text, what)
    if not plain:
        raise MalformedRemark(f"the {what} is empty; say who")
    if len(plain) > NAME_MAX or "\n" in plain:
        raise MalformedRemark(f"the {what} is one line of at most {NAME_MAX} characters; write it shorter")
    if is_reserved(plain):
        raise MalformedRemark(f"the {what} {plain!r} is kept for what this program does by itself; say who it is")
    return plain


def until_of(until: datetime, now: datetime) -> datetime:
    """Return the end in UTC.

    Raises:
        MalformedRemark: it is past, further away than ``UNTIL_MAX``, or has no time zone.
    """
    if until.tzinfo is None:
        raise MalformedRemark(f"the end {until.isoformat()} has no time zone; write {until.isoformat()}Z for UTC")
    if until <= now:
        raise MalformedRemark(f"the end {_shown(until)} is past; it is {_shown(now)} now, name a later one")
    if until - now > UNTIL_MAX:
        raise MalformedRemark(
            f"the end {_shown(until)} is more than {UNTIL_MAX.days} days away; name an earlier one, "
            "and decide again then"
        )
    return until.astimezone(UTC)


def _plain(text: str, what: str) -> str:
    # A blank of another kind (a tab, a no-break space from a web page) is a blank.
    blanks = "".join(" " if char.isspace() and char != "\n" else char for char in text).strip()
    for place, char in enumerate(blanks, 1):
        if char in UNSEEN or (not char.isprintable() and char != "\n"):
            raise MalformedRemark(
                f"the {what} has a character that cannot be seen ({ascii(char)[1:-1]}, the {place}. one); leave it out"
            )
    return blanks


def _shown(at: datetime) -> str:
    # As it was written: the first and last years have no other zone to be told in.
    return at.isoformat(timespec="minutes").replace("+00:00", "Z")
