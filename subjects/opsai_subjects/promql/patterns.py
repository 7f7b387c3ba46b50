"""Regular expressions as PromQL means them: RE2 syntax, anchored at both ends."""

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def anchored(pattern: str) -> re.Pattern[str]:
    """Return the compiled expression, for `fullmatch`. Raises ValueError with what is wrong with it."""
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise ValueError(str(error)) from error
