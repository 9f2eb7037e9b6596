"""The key that signs heads: one file in the state folder, made at first use, readable by its owner alone.

The file is a secret: whoever has it can sign a rewritten journal. It is never shown, never logged and never put
into the database; its public half stands in the journal.
"""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from gal_friday.domain.journal import key_id
from gal_friday.ports.errors import StoreFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE_NAME = "journal.key"
_FORMAT = "gal-friday/journal-key/1"
_SECRET_BYTES = 32
_OTHERS = 0o077


class SigningKey:
    """An Ed25519 key. Its text form says nothing."""

    def __init__(self, private: "Ed25519PrivateKey") -> None:
        """Keep the private half, hidden."""
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        self.id = key_id(self.public)

    @classmethod
    def fresh(cls) -> "SigningKey":
        """Return a new key that is written nowhere."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, secret: bytes) -> "SigningKey":
        """Return the key with this private half."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.from_private_bytes(secret))

    def sign(self, text: bytes) -> str:
        """Return the signature over these bytes, as hex."""
        return self._private.sign(text).hex()

    def written(self) -> str:
        """Return the content of the key's file."""
        return f"{_FORMAT} {self._private.private_bytes_raw().hex()}\n"


def is_signed(public: bytes, text: bytes, signature: str) -> bool:
    """Say whether this key signed these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


def signing_key(folder: Path) -> SigningKey:
    """Return the key of this folder; where there is none, one is made.

    Raises:
        StoreFailed: it cannot be read or written, or others may read it.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = kept_key(folder)
        if found is not None:
            return found
        _make(path, SigningKey.fresh().written())
    except OSError as error:
        raise StoreFailed(
            f"the journal's key cannot be kept in {path} ({error.strerror}), so nothing is sealed; "
            "set state_folder to a folder that can be written"
        ) from error
    made = kept_key(folder)  # another process may have been first
    assert made is not None, "the file was just made"
    return made


def kept_key(folder: Path) -> SigningKey | None:
    """Return the key of this folder, or None where none was made yet.

    Raises:
        StoreFailed: the file cannot be read, is no key, or others may read it.
    """
    path = folder / FILE_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreFailed(f"the journal's key {path} cannot be read ({error.strerror}); give its owner back") from error
    with os.fdopen(descriptor, "rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & _OTHERS:
            raise StoreFailed(f"the journal's key {path} may be read by others; run: chmod 600 {path}")
        content = file.read(256).split()
    if len(content) != 2 or content[0] != _FORMAT.encode():
        raise StoreFailed(f"{path} is no key of a journal; put it back from a backup, or move it away to get a new one")
    try:
        return SigningKey.of(bytes.fromhex(content[1].decode()))
    except ValueError as error:
        raise StoreFailed(f"{path} is a damaged key; put it back from a backup, or move it away") from error


def _make(path: Path, content: str) -> None:
    """Write the file whole or not at all; the first of several processes wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
