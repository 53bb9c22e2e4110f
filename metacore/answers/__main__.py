"""`python -m metacore.answers NICENESS MEMORY` is one helper."""

import sys

from metacore.answers.helper import main

sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
