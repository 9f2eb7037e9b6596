"""A book kept elsewhere, in memory: the rules that whoever receives adjustments keeps, on one screen.

One key is posted once, and stands for one content. What comes with a smaller token than was seen before is refused.
Only what was posted is remembered: what was refused may come again. It posts nothing but a list of what it took.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gal_friday.domain.handover import ANSWER, HANDOVER, Answer, Handover, answer_in


class MemoryReceiver:
    """A ``Receiver`` that is its own other side."""

    place = "a book in memory"

    def __init__(self) -> None:
        """Begin with an empty book."""
        self.taken: list[str] = []
        """The adjustments that were posted, in their order; one that stands twice was posted twice."""
        self.refuses: str | None = None
        """Why whatever comes is refused; None takes it."""
        self._contents: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._tokens: dict[str, int] = {}

    def received(self, body: bytes) -> dict[str, Any]:
        """Return the answer to an adjustment that arrives."""
        said = msgspec.json.decode(body)
        name, content = said["adjustment_id"], said["content"]
        if said["format"] != HANDOVER:
            return self._answer(name, "refused", reason=f"{said['format']} is not understood here")
        if not self._is_newest(said["account"], said["token"]):
            return self._answer(name, "refused", reason="a newer owner of the account was here since")
        if name in self._contents and self._contents[name] != content:
            return self._answer(name, "refused", reason="this key stands for another content", conflict=True)
        if name not in self._contents:
            if self.refuses is not None:
                return self._answer(name, "refused", reason=self.refuses)
            self.taken.append(name)
            self._contents[name] = content
            self._versions[name] = len(self.taken)
        return self._answer(name, "applied", version=str(self._versions[name]))

    def asked(self, name: str, *, account: str = "", token: int | None = None) -> dict[str, Any]:
        """Return the answer to a question about an adjustment; what is older than the question comes too late."""
        self._is_newest(account, token)
        if name in self._contents:
            return self._answer(name, "applied", version=str(self._versions[name]))
        return self._answer(name, "absent")

    async def send(self, handover: Handover) -> Answer:
        """Take it, or refuse it; see ``Receiver``."""
        return _heard(self.received(handover.body), handover)

    async def ask(self, handover: Handover) -> Answer:
        """Say whether it is here; see ``Receiver``."""
        return _heard(
            self.asked(handover.adjustment_id, account=handover.account, token=handover.token), handover
        )  # fmt: skip

    async def close(self, handover: Handover) -> Answer:
        """Say whether it is here: nothing ever waits; see ``Receiver``."""
        return await self.ask(handover)

    async def check(self) -> str:
        """Return that it is there."""
        return "in memory"

    def _is_newest(self, account: str, token: int | None) -> bool:
        newest = self._tokens.get(account)
        if token is None or newest is None or token >= newest:
            if token is not None:
                self._tokens[account] = token
            return True
        return False

    def _answer(self, name: str, outcome: str, **more: Any) -> dict[str, Any]:
        return {"format": ANSWER, "adjustment_id": name, "outcome": outcome, **more}


def _heard(told: Mapping[str, Any], handover: Handover) -> Answer:
    return answer_in(msgspec.json.encode(told), handover.adjustment_id)
