"""``python -m symbreak``: the command line without installing."""

import sys

from symbreak.cli import main

if __name__ == "__main__":
    sys.exit(main())
