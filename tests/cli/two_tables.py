"""Two small tables that differ in three places."""

from collections.abc import Sequence
from pathlib import Path

HEAD = "account,asset,quantity,price"
OURS = (HEAD, "a,BTC,1.5,60000", "a,ETH,2,3000", "b,BTC,-0.25,60000", "b,USD,100,")
THEIRS = (HEAD, "a,BTC,1.5000,60000", "a,ETH,2.5,3000", "b,BTC,-0.25,60000", "c,XRP,40,0.5")


def table(path: Path, lines: Sequence[str], encoding: str = "utf-8") -> str:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return str(path)


def both(folder: Path, ours: Sequence[str] = OURS, theirs: Sequence[str] = THEIRS) -> list[str]:
    return [table(folder / "ours.csv", ours), table(folder / "theirs.csv", theirs)]
