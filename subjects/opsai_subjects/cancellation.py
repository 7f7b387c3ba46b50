"""Cancellation of work in a thread, which can only be asked to end: long work looks now and then whether it was."""

from contextlib import suppress

import anyio.from_thread


def check_cancelled() -> None:
    """Raise what ends a worker thread whose caller was cancelled; elsewhere do nothing. It costs a microsecond."""
    with suppress(RuntimeError):  # no worker thread: whoever evaluates in the event loop is cancelled there
        anyio.from_thread.check_cancelled()
