"""Saying things on the terminal: coloured there, plain in a pipe, never wrapped by the terminal's width."""

import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from opsai_lab.layout import WIDTH, filled


class Voice:
    """Prints lines as they are; only styles differ between a terminal and a pipe."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False)

    def line(self, text: str = "", style: str = "") -> None:
        """Print text as it stands."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def prose(self, text: str, *, first: str = "", style: str = "") -> None:
        """Print prose, filled to the common width."""
        self.line(filled(text, first=first), style)

    def heading(self, number: int, title: str, aside: str = "") -> None:
        """Print the heading of a part, with an aside at the line's end."""
        self.line()
        head = f"{number}  {title}"
        self.line(f"{head}{aside:>{max(len(aside) + 2, WIDTH - len(head))}}".rstrip(), "bold")

    def marked(self, text: str, styles: Iterable[tuple[str, str]]) -> None:
        """Print text with each occurrence of a word in its style."""
        rich = Text(text)
        for word, style in styles:
            rich.highlight_words([word], style)
        self._console.print(rich, soft_wrap=True)

    def descriptor(self) -> int:
        """Return the file descriptor under it, for a program that is to write to the same place."""
        self._console.file.flush()
        return self._console.file.fileno()


def program(name: str) -> str:
    """Return how the user can call one of our programs: by name when it is on PATH, else as they called this one."""
    folder = Path(sys.argv[0]).parent
    found = shutil.which(name)
    if found and Path(found).resolve().parent == folder.resolve():
        return name
    return str(folder / name) if (folder / name).exists() else name


def in_shell(path: Path) -> str:
    """Return a path as a shell in this folder reads it whole, short where it lies inside."""
    whole, here = path.absolute(), Path.cwd()
    return f'"$PWD/{whole.relative_to(here)}"' if whole.is_relative_to(here) else shlex.quote(str(whole))
