"""For tests that interrupt a command."""

from __future__ import annotations

import signal


def hear_interrupts() -> None:
    """For `preexec_fn`: a suite that runs in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
