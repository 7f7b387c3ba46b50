"""Looks that compare one signal with the invariant's limit."""

from collections.abc import Callable

from opsai_tikv.seen import Look, Seen, figure, unit


def above(
    invariant: str, signal: str, says: str = "", *, at_least: int = 3, scale: float = 1.0, of: str | None = None
) -> Callable[[Look, str], Seen]:
    """Return a look for a signal that stands above the invariant's limit at so many points in a row.

    `says` is what stands before the figure; the figure is shown times `scale`, in the signal's own unit or in `of`.
    """

    def look(at: Look, entity: str) -> Seen:
        limit = at.limit(invariant)
        seen = at.when(signal, entity, lambda _, value: value > limit, at_least)
        value = seen.value
        if seen.state != "shown" or not isinstance(value, float):
            return seen
        shown = f"{figure(value * scale)}{unit(signal) if of is None else of}"
        return Seen("shown", f"{says or signal} {shown}", seen.active, round(value, 4), limit, seen.since)

    return look
