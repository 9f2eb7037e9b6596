"""Verify an exported journal, or the proof of one entry, offline, with Python and nothing else.

    python -I -S verify_journal.py EXPORT.jsonl [--anchor HEADS.jsonl] [--key KEY_ID]...
    python -I -S verify_journal.py PROOF.json [--anchor HEADS.jsonl] [--key KEY_ID]...

It recomputes every hash from the bytes of the entries, every root from the hashes, and every signature. --anchor
names a file of heads that were kept outside: each must stand over the same entries; of a proof, its head must be one
of them. --key names the only keys that may have signed. Exit status: 0 verified, 1 broken (the first bad place is
named), 2 wrong usage.

It shares no code with the program that wrote the journal. How everything is computed stands in the export's header.
"""

import json
import sys
from hashlib import sha256, sha512
from typing import Any

FORMAT = "gal-friday/journal/1"
HEAD_FORMAT = "gal-friday/journal-head/1"
PROOF_FORMAT = "gal-friday/journal-proof/1"
FIELDS = ("journal", "number", "size", "root", "at", "key")


class Broken(Exception):
    """The first place that is not what was written."""


# Ed25519, RFC 8032 section 5.1: the curve in extended coordinates, and verification alone.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(one: Point, two: Point) -> Point:
    """Return the sum of two points."""
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point(data: bytes) -> Point:
    """Return the point that these 32 bytes are."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if len(data) != 32 or y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


def encoded(one: Point) -> bytes:
    """Return the 32 bytes of a point."""
    inverse = pow(one[2], P - 2, P)
    x, y = one[0] * inverse % P, one[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether this key signed this message: R must be S·B − k·A."""
    try:
        a, s = point(public), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    if len(signature) != 64 or s >= ORDER:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    sums = {(1, 0): BASE, (0, 1): minus_a, (1, 1): add(BASE, minus_a)}
    total: Point = (0, 1, 1, 0)
    for bit in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        total = add(total, total)
        bits = (s >> bit & 1, k >> bit & 1)
        total = add(total, sums[bits]) if bits in sums else total
    return encoded(total) == signature[:32]


class Journal:
    """What was read so far: the tree's frontier, the keys, the heads."""

    def __init__(self, trusted: list[str], anchors: list[tuple[str, dict[str, Any]]]) -> None:
        self.size, self.heads, self.sealed, self.withheld = 0, 0, 0, 0
        self.peaks: list[bytes] = []
        self.keys: dict[str, bytes] = {}
        self.name, self.trusted, self.anchors = "", trusted, anchors
        self.met = 0

    def root(self) -> str:
        """Return the root over all entries so far, as RFC 9162 defines it."""
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = sha256(b"\x01" + peak + node).digest()
        return node.hex()

    def entry(self, line: dict[str, Any]) -> None:
        """Take the next entry, or the leaf of one that was withheld."""
        seq, leaf = self.size + 1, bytes.fromhex(line["leaf"])
        expect(line["seq"], seq, f"entry {seq}", "the sequence has a gap")
        expect(sorted({*line, "entry"}), ["entry", "leaf", "seq"], f"entry {seq}", "no fields of an entry")
        if "entry" in line:
            text = line["entry"].encode()
            expect(sha256(b"\x00" + text).hexdigest(), line["leaf"], f"entry {seq}", "the hash is of another entry")
            self.read(seq, json.loads(text))
        else:
            self.withheld += 1
            expect((len(leaf), leaf.hex()), (32, line["leaf"]), f"entry {seq}", "no hash as it is written")
        while seq & 1 == 0:
            leaf, seq = sha256(b"\x01" + self.peaks.pop() + leaf).digest(), seq >> 1
        self.peaks.append(leaf)
        self.size += 1
        self.meet()

    def read(self, seq: int, said: dict[str, Any]) -> None:
        """Take the journal's name and its keys from the entries that state them."""
        expect(said["seq"], seq, f"entry {seq}", "the entry was written for another place")
        expect(said["v"], 1, f"entry {seq}", "a version that this script does not know")
        if seq == 1:
            expect(said["kind"], "journal_begun", "entry 1", "a journal begins with its own entry")
            self.name = said["subject"]
        if said["kind"] == "journal_key_added":
            public = bytes.fromhex(said["body"]["public_key"])
            expect(said["subject"], key_id(public), f"entry {seq}", "the key is not the one that its id names")
            self.keys[said["subject"]] = public

    def head(self, line: dict[str, Any]) -> None:
        """Take the next head, which stands over exactly the entries so far."""
        head, place = line["head"], f"head {self.heads + 1}"
        expect(sorted(line), ["head", "signature"], place, "no fields of a head")
        expect(sorted(head), sorted(FIELDS), place, "no fields of a head")
        expect(head["number"], self.heads + 1, place, "the sequence of heads has a gap")
        expect(head["journal"], self.name, place, "of another journal")
        expect(head["size"], self.size, place, "stands over another number of entries")
        expect(
            head["root"],
            self.root(),
            place,
            f"an entry from {self.sealed + 1} to {self.size}, or the head, was changed",
        )
        expect(head["key"] in self.keys, True, place, "signed with a key that no entry adds")
        expect(not self.trusted or head["key"] in self.trusted, True, place, "signed with a key that is not trusted")
        signature = bytes.fromhex(line["signature"])
        expect(line["signature"], signature.hex(), place, "no signature as it is written")
        signed = is_signed(self.keys[head["key"]], text_of(head), signature)
        expect(signed, True, place, "the signature is not that of its key over this head")
        self.heads, self.sealed = self.heads + 1, self.size

    def meet(self) -> None:
        """Hold the heads that were kept outside against the tree of their size."""
        for place, anchor in self.anchors:
            if anchor["size"] == self.size:
                expect(anchor["journal"], self.name, place, "of another journal")
                expect(anchor["root"], self.root(), place, f"the first {self.size} entries are not those of this head")
                self.met += 1

    def end(self, header: dict[str, Any]) -> None:
        """Hold the end of the file against its header."""
        expect(self.size, header["entries"], f"entry {self.size + 1}", "the file was cut")
        expect(self.heads, header["heads"], f"head {self.heads + 1}", "the file was cut")
        expect(self.sealed, self.size, f"entry {self.sealed + 1}", "no head stands over it")
        chosen = header["account"] is not None or header["since"] is not None
        expect(chosen or not self.withheld, True, "header", "entries are withheld, and the header does not say so")
        expect(self.met, len(self.anchors), f"entry {self.size + 1}", "the journal was cut: heads kept outside met")


def expect(found: object, expected: object, place: str, what: str) -> None:
    """Raise ``Broken`` unless these are equal."""
    if found != expected or type(found) is not type(expected):
        raise Broken(f"{place}: {what}: expected {str(expected)[:200]!r}, found {str(found)[:200]!r}")


def loaded(line: bytes) -> Any:
    """Return what a line holds; a field that stands twice would be read in two ways."""
    return json.loads(line, object_pairs_hook=once)


def once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of an object, each of which stands in it once."""
    expect(len(dict(fields)), len(fields), "a line", "a field stands twice in it")
    return dict(fields)


def key_id(public: bytes) -> str:
    """Return the id of a public key."""
    return "key_" + sha256(public).hexdigest()[:16]


def text_of(head: dict[str, Any]) -> bytes:
    """Return the bytes that the signature of a head is over."""
    if any("\n" in str(head[field]) for field in FIELDS):
        raise Broken("a head with a line end in it")
    return "".join(f"{line}\n" for line in (HEAD_FORMAT, *(f"{field} {head[field]}" for field in FIELDS))).encode()


def anchors_in(path: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the heads of a file that was kept outside, each with its place and checked against its own signature."""
    found = []
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                head, place = loaded(line), f"{path}, line {number}"
                public = bytes.fromhex(head["public_key"])
                expect(head["key"], key_id(public), place, "the key is not the one that its id names")
                signed = is_signed(public, text_of(head), bytes.fromhex(head["signature"]))
                expect(signed, True, place, "the signature is not that of its key over this head")
                found.append((place, head))
    expect(bool(found), True, path, "no head is in it, so that it proves nothing")
    return found


def proven(proof: dict[str, Any], trusted: list[str], anchors: list[tuple[str, dict[str, Any]]]) -> str:
    """Return what the proof of one entry shows, in one line; RFC 9162, section 2.1.3.2.

    Raises:
        Broken: what is wrong with it.
    """
    head, text, seq = proof["signed"]["head"], proof["entry"].encode(), proof["seq"]
    place, first, second = f"entry {seq}", proof["index"], proof["size"] - 1
    node = sha256(b"\x00" + text).digest()
    expect(node.hex(), proof["leaf"], place, "the hash is of another entry")
    said = loaded(text)
    expect((said["seq"], first + 1), (seq, seq), place, "the entry was written for another place")
    expect(0 <= first <= second, True, place, "no place in a tree of this size")
    for step in map(bytes.fromhex, proof["path"]):
        expect(second > 0, True, place, "the path is too long")
        if first & 1 or first == second:
            node = sha256(b"\x01" + step + node).digest()
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            node = sha256(b"\x01" + node + step).digest()
        first, second = first >> 1, second >> 1
    expect(second, 0, place, "the path is too short")
    expect((head["size"], head["root"]), (proof["size"], node.hex()), place, "the path does not lead to the head")
    public = bytes.fromhex(proof["public_key"])
    expect(head["key"], key_id(public), place, "the key is not the one that its id names")
    expect(not trusted or head["key"] in trusted, True, place, "signed with a key that is not trusted")
    signed = is_signed(public, text_of(head), bytes.fromhex(proof["signed"]["signature"]))
    expect(signed, True, place, "the signature is not that of its key over this head")
    kept = [(one["journal"], one["size"], one["root"]) for _, one in anchors]
    met = not anchors or (head["journal"], head["size"], head["root"]) in kept
    expect(met, True, place, "its head is not among those kept outside")
    outside = ", kept outside too" if anchors else ""
    return (
        f"verified: entry {seq} ({said['kind']}) of journal {head['journal']} is under head {head['number']}"
        f" over {head['size']} entries, signed by {head['key']}{outside}"
    )


def verified(path: str, trusted: list[str], anchor_files: list[str]) -> str:
    """Return what was verified, in one line.

    Raises:
        Broken: the first place that is not what was written.
    """
    anchors = [anchor for file in anchor_files for anchor in anchors_in(file)]
    journal = Journal(trusted, anchors)
    with open(path, "rb") as file:
        header, number = loaded(file.readline() or b"null"), 1
        try:
            if header["format"] == PROOF_FORMAT:
                return proven(header, trusted, anchors)
            expect(header["format"], FORMAT, "line 1", "not an exported journal of this version")
            for number, line in enumerate(file, 2):  # noqa: B007 - it names the line that cannot be read
                what = loaded(line)
                journal.head(what) if "head" in what else journal.entry(what)
            journal.end(header)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise Broken(f"line {number} cannot be read: {type(error).__name__} {error}") from None
    withheld = f" ({journal.withheld} of them withheld)" if journal.withheld else ""
    keys = ", ".join(journal.keys)
    met = f", {journal.met} heads kept outside met" if journal.anchors else ""
    return (
        f"verified: journal {journal.name}, {journal.size} entries{withheld}, {journal.heads} heads, keys {keys}{met}"
    )


def main(words: list[str]) -> int:
    """Run with the arguments of the command line and return the exit status."""
    files: dict[str, list[str]] = {"": [], "--anchor": [], "--key": []}
    option = ""
    for word in words:
        if word in files:
            option = word
        else:
            files[option].append(word)
            option = ""
    if len(files[""]) != 1 or option or any(word.startswith("-") for word in files[""]):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        sys.stdout.write(f"{verified(files[''][0], files['--key'], files['--anchor'])}\n")
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (Broken, ValueError, KeyError, TypeError, RecursionError) as error:
        sys.stdout.write(f"BROKEN  {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
