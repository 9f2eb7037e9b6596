"""Passkeys by py-webauthn. Everything that its parsers raise on a hostile answer ends here, as one refusal."""

import binascii
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gal_friday.domain.credentials import Passkey
from gal_friday.domain.ids import digest
from gal_friday.ports.passkeys import Added, PasskeyRefused, Site

_MISFORMED = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, binascii.Error)
"""What the library and the decoders below it raise on what is no answer at all."""

_NOTHING = "this passkey was not accepted; begin again, with the passkey of this site"
ANSWER_CHARS_MAX = 20_000
"""Of every text in an answer: a real one has some hundreds."""


class WebAuthnPasskeys:
    """``Passkeys`` of this program."""

    def to_add(self, site: Site, user: str, known: tuple[Passkey, ...], challenge: bytes) -> str:
        """Return the options for a new one; see ``Passkeys``."""
        options = generate_registration_options(
            rp_id=site.host,
            rp_name="Gal-Friday",
            # The same for the same person, and not their name: a device shows the name and keeps this.
            user_id=bytes.fromhex(digest("passkey", user)),
            user_name=user,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                # Without it a browser finds no passkey when nobody has typed a name (NotAllowedError).
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in known],
        )
        return options_to_json(options)

    def to_use(self, site: Site, challenge: bytes) -> str:
        """Return the options for any of this site; see ``Passkeys``."""
        options = generate_authentication_options(
            rp_id=site.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        return options_to_json(options)

    def challenge_in(self, answer: dict[str, Any]) -> bytes:
        """Return the challenge that an answer is for; see ``Passkeys``."""
        try:
            _check_size(answer)
            return parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])).challenge
        except _MISFORMED:
            raise PasskeyRefused(_NOTHING) from None

    def added(self, site: Site, answer: dict[str, Any], challenge: bytes) -> Added:
        """Return the new one; see ``Passkeys``."""
        try:
            _check_size(answer)
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except _MISFORMED:
            raise PasskeyRefused(_NOTHING) from None
        key = verified.credential_public_key
        return Added(bytes_to_base64url(verified.credential_id), key, verified.sign_count)

    def used(self, site: Site, answer: dict[str, Any], challenge: bytes, passkey: Passkey) -> int:
        """Return the new count of signatures; see ``Passkeys``."""
        try:
            _check_size(answer)
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _MISFORMED:
            raise PasskeyRefused(_NOTHING) from None
        return verified.new_sign_count


def _check_size(answer: Any, depth: int = 0) -> None:
    match answer:
        case str() if len(answer) > ANSWER_CHARS_MAX:
            raise ValueError("longer than any answer")
        case str() if "\0" in answer:
            raise ValueError("a character that stands in no answer")
        case dict() | list() if depth > 3 or len(answer) > 50:
            raise ValueError("larger than any answer")
        case dict():
            for part in answer.values():
                _check_size(part, depth + 1)
        case list():
            for part in answer:
                _check_size(part, depth + 1)
        case _:
            pass
