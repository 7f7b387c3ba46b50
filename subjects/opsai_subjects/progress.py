"""Progress: how far long work is, told by what does it to whoever waits for it. Neither knows the other.

What works says `work(steps, what)` and then `did()`; where nobody listens that costs nothing. Pieces of work add up: what was
done never becomes less, while the whole may grow as more of it comes to light.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar


class Work:
    """One piece of work: so many steps, and a few words on what they are."""

    def __init__(self, total: float, says: str) -> None:
        self.total = float(max(total, 0))
        self.done = 0.0
        self.says = says

    def did(self, says: str = "") -> None:
        """Say that one more step is done, and what comes next where that is not the same again."""
        self.reach(self.done + 1)
        self.says = says or self.says

    def reach(self, done: float) -> None:
        """Say how many steps are done, from any thread; it never goes back, nor beyond the whole."""
        self.done = max(self.done, min(done, self.total))


class Progress:
    """The pieces of work that one caller waits for. Those that another waits for as well can be among them."""

    def __init__(self) -> None:
        self._parts: list[Work | Progress] = []

    @property
    def done(self) -> float:
        """Steps done."""
        return sum(part.done for part in self._parts)

    @property
    def total(self) -> float:
        """Steps known so far."""
        return sum(part.total for part in self._parts)

    @property
    def says(self) -> str:
        """What is being done: the words of the piece begun last of those that are not done."""
        open_parts = [part for part in self._parts if part.done < part.total]
        return (open_parts or self._parts)[-1].says if self._parts else ""

    def add(self, part: "Work | Progress") -> None:
        """Count this too."""
        if part is not self and part not in self._parts:
            self._parts.append(part)

    @contextmanager
    def heard(self) -> Generator[None]:
        """Let work that is begun within the block count here, and be heard by who waits for the block too."""
        outer = _heard_by.get()
        if outer is not None:
            outer.add(self)
        token = _heard_by.set(self)
        try:
            yield
        finally:
            _heard_by.reset(token)


@contextmanager
def unheard() -> Generator[None]:
    """Let work that is begun within the block count nowhere: the block counts it in steps of its own."""
    token = _heard_by.set(None)
    try:
        yield
    finally:
        _heard_by.reset(token)


_heard_by: ContextVar[Progress | None] = ContextVar("heard_by", default=None)


def work(steps: float, says: str) -> Work:
    """Begin a piece of work of so many steps; `says` names it in a few words of our own: "log of kv-1"."""
    begun = Work(steps, says)
    await_also(begun)
    return begun


def await_also(part: Work | Progress) -> None:
    """Let whoever waits for this block hear of that work too, which another block does."""
    listener = _heard_by.get()
    if listener is not None:
        listener.add(part)
