"""``python -m benchmark``: the ``bench`` command without its script."""

import sys

from benchmark.cli import main

if __name__ == "__main__":
    sys.exit(main())
