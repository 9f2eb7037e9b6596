"""Secrets by reference: the configuration names where a secret lies, and never holds it.

A resolved secret is a type of its own whose text form says nothing, so that it cannot reach a log, an error
or a report by accident.
"""

import os
from pathlib import Path

from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.files import expanded, read_bounded

FORMS = "env:NAME, file:PATH, cred:NAME or keyring:SERVICE/NAME"
_SCHEMES = ("env", "file", "cred", "keyring")
_BYTES_MAX = 64 * 1024  # Of a file that holds one secret.


class Secret:
    """A secret in memory. Only ``reveal`` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep the text, hidden."""
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself, for the one place that signs with it."""
        return self._text

    def __repr__(self) -> str:
        """Say nothing."""
        return "Secret(…)"

    __str__ = __repr__


def is_reference(text: str) -> bool:
    """Say whether this names a place where a secret lies; anything else may be the secret itself."""
    scheme, _, place = text.partition(":")
    return scheme in _SCHEMES and bool(place)


def resolve(reference: str, *, setting: str) -> Secret:
    """Return the secret that *reference* points to.

    Raises:
        BadConfiguration: the reference has no known form, or points to nothing; the message names the
            setting and what to do, and never the secret.
    """
    if not is_reference(reference):
        raise BadConfiguration(f"{setting}: a secret must not stand in the configuration; refer to it as {FORMS}")
    scheme, _, place = reference.partition(":")
    text = _looked_up(scheme, place, setting).strip()
    if not text:
        raise BadConfiguration(f"{setting}: {scheme}:{place} is empty; put the secret there")
    return Secret(text)


def _looked_up(scheme: str, place: str, setting: str) -> str:
    match scheme:
        case "env":
            return _from_environment(place, setting)
        case "file":
            return _from_file(expanded(place, setting=setting), setting)
        case "cred":
            return _from_file(_credentials_directory(setting) / expanded(place, setting=setting), setting)
        case _:
            return _from_keyring(place, setting)


def _from_environment(name: str, setting: str) -> str:
    if name not in os.environ:
        raise BadConfiguration(f"{setting}: the environment variable {name} is not set; export it first")
    return os.environ[name]


def _from_file(path: Path, setting: str) -> str:
    try:
        return read_bounded(path, _BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadConfiguration(f"{setting}: cannot read {path}: {reason}; check path and rights") from error


def _credentials_directory(setting: str) -> Path:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is None:
        raise BadConfiguration(f"{setting}: cred: needs systemd's LoadCredential=; $CREDENTIALS_DIRECTORY is not set")
    return Path(directory)


def _from_keyring(place: str, setting: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise BadConfiguration(f"{setting}: keyring: needs the extra: pip install 'gal-friday[keyring]'") from error
    service, _, name = place.partition("/")
    try:
        found = keyring.get_password(service, name)
    except KeyringError as error:
        raise BadConfiguration(f"{setting}: the keyring does not answer here ({error}); use file: or env:") from error
    if found is None:
        raise BadConfiguration(f"{setting}: the keyring has no entry {service} / {name}; store it first")
    return str(found)
