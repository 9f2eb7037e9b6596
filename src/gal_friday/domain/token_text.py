"""An API token as text: ``gf_<id>_<secret><check>``.

The fixed beginning lets scanners of repositories find one that was committed by mistake; the check at the end
(CRC-32, as text) tells a typing error from a token that nobody knows, without looking anything up. It protects
nothing: that does the secret, of which only the digest is ever kept. Its 256 bits are from chance, so no slow hash is
needed.
"""

import re
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from gal_friday.domain.errors import GalFridayError

SECRET_BYTES: Final = 32
ID_BYTES: Final = 5
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARS: Final = 43  # 62**43 > 2**256
_CHECK_CHARS: Final = 6  # 62**6 > 2**32
_FORM: Final = re.compile(
    rf"gf_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9A-Za-z]{{{_SECRET_CHARS}}})([0-9A-Za-z]{{{_CHECK_CHARS}}})"
)

TOKEN_CHARS: Final = len("gf__") + 2 * ID_BYTES + _SECRET_CHARS + _CHECK_CHARS
PATTERN: Final = rf"gf_[0-9a-f]{{{2 * ID_BYTES}}}_[0-9A-Za-z]{{{_SECRET_CHARS + _CHECK_CHARS}}}"
"""What a scanner looks for."""


class NotAToken(GalFridayError, ValueError):
    """The text is no token of ours, or was not copied whole; the message never quotes it."""


class Presented(Struct, frozen=True):
    """A token as somebody sent it, without its secret."""

    id: str
    digest: str


def written(token_id: bytes, secret: bytes) -> str:
    """Return the token as it is handed out, once."""
    if len(token_id) != ID_BYTES or len(secret) != SECRET_BYTES:
        raise ValueError(f"a token is made of {ID_BYTES} and {SECRET_BYTES} bytes")
    head = f"gf_{token_id.hex()}_{_in_62(int.from_bytes(secret, 'big'), _SECRET_CHARS)}"
    return head + _check(head)


def read(text: str) -> Presented:
    """Return the id and the digest of a token.

    Raises:
        NotAToken: the form is another one, or a character is wrong.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise NotAToken(f"this is no token: one is gf_, {2 * ID_BYTES} digits, _ and {_SECRET_CHARS + _CHECK_CHARS} "
                        "letters and digits; copy it whole")  # fmt: skip
    if not compare_digest(_check(text[:-_CHECK_CHARS]), match[3]):
        raise NotAToken("the token was not copied right: its last characters do not fit the others; copy it again")
    return Presented(match[1], digest_of(match[2]))


def digest_of(secret: str) -> str:
    """Return what is kept of a secret that chance has made: its SHA-256, as hex."""
    return sha256(secret.encode()).hexdigest()


def same_digest(one: str, other: str) -> bool:
    """Say whether two digests are equal, in a time that says nothing about where they differ."""
    return compare_digest(one.encode(), other.encode())


def _check(head: str) -> str:
    return _in_62(_crc_32(head.encode()), _CHECK_CHARS)


def _in_62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _crc_32(data: bytes) -> int:
    # ISO-HDLC, as in zip files: the domain imports no zlib.
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
