"""Who carries out the runs that are due: tasks of this process, or workers on many machines.

Whoever dispatches may do so too often, and whoever carries out may be killed: that a run happens once is seen to by
the schedule and the account's lease, and by nothing here.
"""

from collections.abc import Sequence
from typing import Protocol


class Dispatcher(Protocol):
    """Hands accounts to whoever runs them."""

    async def dispatch(self, account: str) -> bool:
        """Hand an account over to be run as soon as may be; False where nobody can take it now.

        An account that waits or runs already is not handed over twice.

        Raises:
            StoreFailed: nobody can tell; asking again is safe.
        """
        ...

    async def drain(self, seconds: float) -> Sequence[str]:
        """Take nothing more, wait up to so long for what is under way, and return the accounts that did not end."""
        ...
