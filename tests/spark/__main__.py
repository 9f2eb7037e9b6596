"""What needs Spark: ``python3 dev.py spark [ARGS]``, in the environment that has it; pytest takes the arguments."""

import sys
from pathlib import Path

import pytest

sys.exit(pytest.main([str(Path(__file__).parent), *sys.argv[1:]]))
