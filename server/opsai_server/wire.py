"""Stdout of a program that speaks a protocol over it: what anybody prints goes to stderr, before, while and after it serves."""

import io
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO


class _Diverted(io.TextIOBase):
    """Looks like stdout to whoever takes its bytes (the SDK does, and then leads the descriptor itself to stderr), and prints to stderr.

    Leading the descriptor away is not enough: what was printed and not yet flushed comes out at the end, into the protocol.
    """

    def __init__(self, stdout: TextIO) -> None:
        self.buffer = stdout.buffer

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def fileno(self) -> int:
        return self.buffer.fileno()


@contextmanager
def prints_on_stderr() -> Generator[None]:
    """Let no print of this process reach stdout while the block runs."""
    stdout = sys.stdout
    sys.stdout = _Diverted(stdout)
    try:
        yield
    finally:
        sys.stdout = stdout
