"""What holds for every test: the same examples in every run, unless asked to explore.

HYPOTHESIS_PROFILE=explore draws fresh examples, and more of them.
Fixtures live beside the tests that use them.
"""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
