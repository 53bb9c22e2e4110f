"""`python -m metacore …`, the same as the command `metacore …`."""

import sys

from metacore.cli import main

if __name__ == "__main__":
    sys.exit(main())
