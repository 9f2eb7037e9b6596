"""What holds for every test: the same examples in every run, unless asked to explore.

HYPOTHESIS_PROFILE=explore draws fresh examples, and more of them.
Fixtures live beside the tests that use them; here stands only the PostgreSQL server, of which a run has one.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from tests.postgres.databases import Databases

settings.register_profile("same", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
# For mutants: that an example fails is all that is asked.
settings.register_profile("unshrunk", settings.get_profile("same"), phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def databases() -> "Iterator[Databases]":
    """Give the maker of PostgreSQL databases; a server starts when the first one is made."""
    from tests.postgres.databases import Databases  # here: most runs of a few tests need no database

    made = Databases()
    yield made
    made.close()
