"""Cursors: where a page ended, written so that nobody takes it for anything else. Never counted, so never skewed."""

import base64
import binascii
from datetime import UTC, datetime

import msgspec

from gal_friday.domain.errors import GalFridayError
from gal_friday.ports.pages import Place

_DECODER = msgspec.json.Decoder(tuple[datetime, str])


class MalformedCursor(GalFridayError, ValueError):
    """It is none of ours."""


def cursor_of(place: Place) -> str:
    """Return a place as text."""
    return base64.urlsafe_b64encode(msgspec.json.encode((place.at.astimezone(UTC), place.id))).decode().rstrip("=")


def place_of(cursor: str | None) -> Place | None:
    """Return the place that a cursor stands for.

    Raises:
        MalformedCursor: it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        at, name = _DECODER.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = Place(at.astimezone(UTC), name)
    except (ValueError, OverflowError, binascii.Error, msgspec.MsgspecError):
        raise _malformed() from None
    if at.tzinfo is None or "\0" in name:
        raise _malformed()
    return place


def _malformed() -> MalformedCursor:
    return MalformedCursor("cursor is none of ours; begin again without one")
