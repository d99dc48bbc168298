"""`dbguard` and `python -m dbguard`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code.

    A run is short and its values are trees, so collecting cycles would cost a tenth of it and find nothing; taking the
    interpreter apart at the end costs as much again.
    """
    gc.disable()
    from dbguard.cli import run

    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
