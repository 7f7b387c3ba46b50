"""A backend that plays a given list of turns: for tests, and for replaying an investigation by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from opsai_agent.backend import Assignment, JsonObject, News, ToolCall, Turn, Usage

Asked = tuple[str, JsonObject]
Step = Sequence[Asked] | Turn
"""The calls of one turn as (tool, arguments), or a whole turn."""


@dataclass
class ScriptedBackend:
    """Plays its steps one a turn, the last one again and again when `repeats`; keeps what it was told."""

    steps: Sequence[Step]
    name: str = "scripted"
    usage: Usage = field(default_factory=Usage)
    """What each turn is said to have taken."""
    repeats: bool = False
    assignment: Assignment | None = None
    told: list[News] = field(default_factory=list[News])

    def begin(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.told.clear()

    async def turn(self, news: News) -> Turn:
        at = len(self.told)
        self.told.append(news)
        if at >= len(self.steps) and not (self.repeats and self.steps):
            return Turn(stop="ended", usage=self.usage)
        step = self.steps[min(at, len(self.steps) - 1)]
        if isinstance(step, Turn):
            return step
        calls = tuple(
            ToolCall(id=f"{at}-{index}", name=tool, arguments=dict(arguments))
            for index, (tool, arguments) in enumerate(step)
        )
        return Turn(stop="calls", calls=calls, usage=self.usage)
