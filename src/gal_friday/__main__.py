"""``python -m gal_friday``: the command line, and nothing else."""

import sys

from gal_friday.cli import main

if __name__ == "__main__":
    sys.exit(main())
