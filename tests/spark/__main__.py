"""What needs Spark: ``python3 dev.py spark [ARGS]``, in the environment that has it; pytest takes the arguments."""

import sys

import pytest

sys.exit(pytest.main(sys.argv[1:] or ["tests/spark"]))
