"""Everything that pages stand on, as one value that bootstrap fills: ports and flows, no adapter."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import Request
from msgspec import Struct

from gal_friday.domain.credentials import User
from gal_friday.domain.policy import Policy
from gal_friday.flows.decide import Repairs
from gal_friday.flows.door import Caller
from gal_friday.flows.redecide import Otherwise
from gal_friday.flows.review import Desk
from gal_friday.flows.standing import AccountInfo
from gal_friday.flows.vitals import LiveOf
from gal_friday.ports.clock import Clock
from gal_friday.ports.history import History
from gal_friday.ports.journal_reading import JournalReading
from gal_friday.ports.pages import Pages
from gal_friday.ports.recordings import Kept
from gal_friday.ports.schedules import Schedules

Known = Callable[[Request], Awaitable[Caller | None]]
"""Says who shows a session; None where nobody is signed in."""


class House(Struct, frozen=True, kw_only=True):
    """What pages need."""

    version: str
    known: Known
    clock: Clock
    accounts: Mapping[str, AccountInfo]
    policy: Policy
    pages: Pages
    desk: Desk
    repairs: Repairs
    journal: JournalReading
    verifier: Callable[[], bytes]
    """Gives the script that checks an exported journal, or a proof, offline."""
    live: LiveOf
    otherwise: Otherwise
    recorded: Callable[[str], Awaitable[Kept | None]]
    """Gives what is known of the recording of a run."""
    history: History
    people: Callable[[], Awaitable[Sequence[User]]]
    """Gives everybody who was ever let in."""
    schedules: Schedules | None = None
