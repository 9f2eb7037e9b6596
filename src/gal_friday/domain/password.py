"""What a new password has to be. Length counts; rules about kinds of characters only make people write 1 at the end.

Source: NIST SP 800-63B-4, section 3.1.1.2: 15 characters where nothing else is asked for, no composition rules, and
every printing character.
"""

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.person import looks

CHARS_MIN = 15
CHARS_MAX = 256
_DIFFERENT_MIN = 6


class WeakPassword(GalFridayError, ValueError):
    """A password that will be guessed, or that cannot be kept; the message says what would do, and never quotes it."""


def check_password(password: str, name: str) -> None:
    """Check that a new password of this person will do.

    Raises:
        WeakPassword: it is too short or too long, always the same, or the name.
    """
    if len(password) < CHARS_MIN:
        raise WeakPassword(
            f"the password has {len(password)} characters; {CHARS_MIN} or more are asked for: four words do"
        )
    if len(password) > CHARS_MAX:
        raise WeakPassword(f"the password has more than {CHARS_MAX} characters; a shorter one is as good")
    if len(set(password.casefold())) < _DIFFERENT_MIN:
        raise WeakPassword("the password says the same again and again; four words do")
    if looks(name) and len(looks(password).replace(looks(name), "")) < _DIFFERENT_MIN:
        raise WeakPassword("the password is the name; four words that have nothing to do with it do")
