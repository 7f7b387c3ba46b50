"""Regular expressions as every engine that is asked reads them: Rust's, also of some years ago, and RE2."""

import re

_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def literal(text: str) -> str:
    r"""Return the expression that finds the text and nothing else.

    Only what has a meaning is escaped: an older Rust engine (regex before 1.8) refuses `\ ` and the like, which `re.escape` writes.
    """
    return _META.sub(r"\\\g<0>", text.encode(errors="replace").decode())


def any_of(texts: tuple[str, ...]) -> str:
    """Return the expression that finds any of the texts."""
    return "|".join(literal(text) for text in texts)
