"""What can be wrong with a configuration. One error, whose message names the place and the way out."""

from gal_friday.domain.errors import GalFridayError


class BadConfiguration(GalFridayError, ValueError):
    """The configuration cannot be used as it stands."""
