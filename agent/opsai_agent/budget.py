"""How much an investigation may spend, and what of it is left."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opsai_agent.backend import Usage

RESERVED_STEPS = 2
"""Kept for the submission and one correction of it."""
RESERVED_RATIO = 0.1
"""The share of tokens, seconds and dollars kept for the submission."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most an investigation may take; None: no limit of that kind."""

    steps: int = 30
    tokens: int | None = 400_000
    """Input, output and cache writes; what is read back from the cache is not counted again."""
    seconds: float | None = 900.0
    usd: float | None = 3.0
    """Not enforced for a model whose price is not known."""


@dataclass
class Budget:
    """Counts what is spent. `monotonic` returns seconds that never run backwards."""

    limits: Limits
    monotonic: Callable[[], float]
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    usd: float | None = 0.0
    """None once a turn's price was not known."""
    _began: float = field(init=False)
    _largest: dict[str, float] = field(init=False, default_factory=dict[str, float])
    _last_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._last_at = self.monotonic()

    @property
    def tokens(self) -> int:
        """Tokens that count against the limit."""
        return self.input_tokens + self.output_tokens + self.cache_write_tokens

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self.monotonic() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the limit, never below zero; None without a limit."""
        return None if self.limits.seconds is None else max(0.0, self.limits.seconds - self.seconds)

    def spend(self, usage: Usage) -> None:
        """Count one turn."""
        self.steps += 1
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.cache_read_tokens += usage.cache_read_tokens
        self.cache_write_tokens += usage.cache_write_tokens
        self.usd = None if self.usd is None or usage.usd is None else self.usd + usage.usd
        now = self.monotonic()
        self._remember("tokens", usage.input_tokens + usage.output_tokens + usage.cache_write_tokens)
        self._remember("seconds", now - self._last_at)
        self._remember("dollars", usage.usd or 0.0)
        self._last_at = now

    def ran_out(self) -> str | None:
        """Return which limit is reached, in words, or None."""
        for name, used, limit in self._counted():
            if used >= limit:
                return f"the limit of {_amount(name, limit)} is reached ({_amount(name, used)} used)"
        return None

    def nearly_out(self) -> str | None:
        """Return which limit leaves room for little more than a submission, in words, or None."""
        for name, used, limit in self._counted():
            if used >= limit - self._reserve(name, limit):
                return f"{_amount(name, used)} of {_amount(name, limit)} are used"
        return None

    def left(self) -> dict[str, str]:
        """Return what is left of each limit, in words."""
        return {name: _amount(name, max(0.0, limit - used)) for name, used, limit in self._counted()}

    def _reserve(self, name: str, limit: float) -> float:
        if name == "steps":
            return min(RESERVED_STEPS, limit - 1)
        return max(limit * RESERVED_RATIO, min(self._largest.get(name, 0.0), limit / 2))

    def _remember(self, name: str, amount: float) -> None:
        self._largest[name] = max(self._largest.get(name, 0.0), amount)

    def _counted(self) -> list[tuple[str, float, float]]:
        rows: list[tuple[str, float, float]] = [("steps", self.steps, self.limits.steps)]
        if self.limits.tokens is not None:
            rows.append(("tokens", self.tokens, self.limits.tokens))
        if self.limits.seconds is not None:
            rows.append(("seconds", self.seconds, self.limits.seconds))
        if self.limits.usd is not None and self.usd is not None:
            rows.append(("dollars", self.usd, self.limits.usd))
        return rows


def _amount(name: str, amount: float) -> str:
    if name == "dollars":
        return f"${amount:.2f}"
    if name == "seconds":
        return f"{amount:.0f} s"
    return f"{amount:,.0f} {name}"
