"""`python -m harness.algorithms ALGORITHM [--version V] train|serve`."""

import sys

from harness.algorithms.entry import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
