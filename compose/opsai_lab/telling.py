"""Progress on stderr: a line that moves where it is a terminal, plain lines elsewhere."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from opsai_lab.targets.target import Tell
from opsai_subjects.model import clean


@contextmanager
def telling(about: str, console: Console | None = None) -> Generator[Tell]:
    """Give what tells one line of progress; on a terminal something turns meanwhile, with what is being done."""
    err = console or Console(stderr=True, highlight=False, markup=False, emoji=False)

    def line(text: str) -> None:
        err.print(Text(clean(text)), soft_wrap=True)

    if not err.is_terminal:
        yield line
        return
    with err.status(Text(about)):
        yield line
