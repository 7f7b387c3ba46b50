"""Paths that may be read, where a proxy's prefix stands before them."""

import re
from urllib.parse import urlsplit


def below(paths: tuple[str, ...], bases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of these paths, below the path of each base as well (a proxy may stand there)."""
    prefixes = sorted({urlsplit(base).path.rstrip("/") for base in bases if "://" in base} - {""})
    under = "|".join(re.escape(prefix) for prefix in prefixes)
    return tuple(f"(?:{under})?(?:{path})" for path in paths) if prefixes else paths
