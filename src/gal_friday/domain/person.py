"""Is this the same person? One who decides may be spelled in many ways, and two names that look alike are one (I11).

Erring on the side of one person costs a fuller name; erring on the other costs the second pair of eyes. Who says that
this is their name is asked elsewhere, and nothing here verifies it.
"""

import unicodedata

RESERVED = ("policy", "gal-friday")
"""The names under which rules and this program act; nobody else may have one."""

UNSEEN = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Fillers: letters and signs of their scripts, of which nothing is seen. Unicode, Default_Ignorable_Code_Point, and the
Braille pattern without a dot."""

# Letters of other scripts that print as a Latin one, in small or in capitals: Unicode, UTS #39, confusables.txt.
_CYRILLIC = ("авеосѕкнмтрхуіјԁԛԝӏһ", "abeocskhmtpxyijdqwlh")
_GREEK = ("αβγεζηικνορτυχωϳ", "abyezniknoptuxwj")
_LATIN = ("ıłøđ", "ilod")
_LUNATE = str.maketrans("ϲϹ", "cC")
"""The sigma that prints as a c: its normal form is the common one. Not in ``looks``, by which names are kept."""
_ALIKE = str.maketrans({other: like for pair in (_CYRILLIC, _GREEK, _LATIN) for other, like in zip(*pair, strict=True)})


def same_person(one: str, other: str) -> bool:
    """Say whether two names may be of one person: alike but for capitals, accents, width, signs or script."""
    return looks(one.translate(_LUNATE)) == looks(other.translate(_LUNATE))


def is_reserved(name: str) -> bool:
    """Say whether this name is, or looks like, one under which no person acts."""
    return any(same_person(name, taken) for taken in RESERVED)


def looks(name: str) -> str:
    """Return what is left of a name once everything that a glance overlooks is gone: the same for one person."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(char for char in plain if unicodedata.category(char)[0] in "LN" and char not in UNSEEN)
    return letters.translate(_ALIKE) or plain
