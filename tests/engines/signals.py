"""Programs that the tests start heed signals, even where the tests themselves run in the background of a shell, which ignores some."""

import signal


def heed_signals() -> None:
    """Reset in a new process what it inherits; for `preexec_fn`."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
