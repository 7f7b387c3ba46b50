"""What may be asked, where a proxy's prefix stands before it."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from opsai_subjects.subject import ReadRpc


def below(paths: tuple[str, ...], bases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns of these paths, below the path of each base as well (a proxy may stand there)."""
    prefixes = sorted({urlsplit(base).path.rstrip("/") for base in bases if "://" in base} - {""})
    under = "|".join(re.escape(prefix) for prefix in prefixes)
    return tuple(f"(?:{under})?(?:{path})" for path in paths) if prefixes else paths


def calls_below(rpcs: Iterable[ReadRpc], bases: tuple[str, ...]) -> tuple[tuple[str, ReadRpc], ...]:
    """Return each call with the pattern of its path, below the path of each base as well."""
    return tuple((below((re.escape(rpc.path),), bases)[0], rpc) for rpc in rpcs)
