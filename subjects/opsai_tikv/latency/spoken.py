"""Figures as people say them. Pure."""


def spoken(seconds: float | None) -> str:
    """Return a time: `487 ms`, `1.2 s`, `0.066 ms`; `?` when there is none."""
    if seconds is None:
        return "?"
    return f"{plain(seconds)} s" if seconds >= 1 else f"{plain(seconds * 1000)} ms"


def plain(value: float | None) -> str:
    """Return a number in two digits, a whole one from 100 on; `?` when there is none."""
    if value is None:
        return "?"
    return f"{value:.0f}" if abs(value) >= 99.5 else f"{value:.2g}"


def change(before: float | None, now: float | None) -> str:
    """Return how a time changed: `18 ms → 487 ms`."""
    return f"{spoken(before)} → {spoken(now)}"
