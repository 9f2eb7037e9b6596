"""Rules that a caller can break, each named for the rule.

    GalFridayError
    ├── MalformedAmount      the text is no amount
    ├── MalformedFact        a fact holds what cannot be written exactly
    ├── MalformedRecord      a record lacks an id, names no asset, or contradicts itself at birth
    ├── MalformedSnapshot    a snapshot file cannot be read: file, place and reason
    ├── MixedAccounts        two snapshots of different accounts were compared
    ├── MixedSides           two snapshots of the same side were compared
    ├── MixedAssets          amounts of different assets were put together
    ├── IllegalStep          an adjustment cannot go there from where it stands
    ├── SamePerson           who proposed an adjustment would approve it, where four eyes are asked for
    ├── OtherContent         an approval is for other postings than the adjustment has
    ├── Overtaken            somebody else has written since, or holds the account now
    └── NotAsPosted          the book does not hold what was just written to it: a mistake of this program

The data disagreeing is never an error: that is a finding. Failures of the outside world are not here
either: see ``ports/errors.py``. Every message says what happened, to what, and what to do next.
"""


class GalFridayError(Exception):
    """Anything this project raises on purpose."""


class MalformedAmount(GalFridayError, ValueError):
    """The text is no amount that can be kept exactly."""

    def __init__(self, text: str, reason: str) -> None:
        """Keep the offending *text* and the *reason* for the report."""
        super().__init__(f"{text!r} is not an amount: {reason}")
        self.text = text
        self.reason = reason


class MalformedFact(GalFridayError, ValueError):
    """A fact cannot be written to the journal as it is; the message names what and the way out."""


class MalformedRecord(GalFridayError, ValueError):
    """A record breaks a rule that holds for every record of its kind."""


class MalformedSnapshot(GalFridayError, ValueError):
    """A snapshot cannot be read; the message names the file, the place in it and the reason."""


class MixedAccounts(GalFridayError, ValueError):
    """Snapshots of two different accounts cannot be compared."""


class MixedSides(GalFridayError, ValueError):
    """One internal and one exchange snapshot are needed."""


class MixedAssets(GalFridayError, ValueError):
    """Amounts of two different assets cannot be put together; convert one first."""


class IllegalStep(GalFridayError, ValueError):
    """An adjustment cannot go there from where it stands; the message says where it can go."""


class SamePerson(GalFridayError, ValueError):
    """Who proposed an adjustment may not approve it, where four eyes are asked for (I11)."""


class OtherContent(GalFridayError, ValueError):
    """An approval is good for the postings that were looked at, and for no others."""


class Overtaken(GalFridayError):
    """Somebody else has written since this was read, or holds the account now: nothing was written."""


class NotAsPosted(GalFridayError):
    """The book, read back, does not hold what was just written to it: a mistake of this program, and a stop."""
