"""What a recording's truth tells: when it began and ended, and which causes are right."""

from dataclasses import dataclass
from datetime import datetime
from json import loads
from pathlib import Path

from tests.subjects.recording.opened import INCIDENTS

FOLDERS = sorted(folder for folder in INCIDENTS.iterdir() if (folder / "truth.json").is_file())


@dataclass(frozen=True)
class Truth:
    """The truth of one recording."""

    injected: datetime
    end: datetime
    healthy: bool
    causes: tuple[tuple[str, frozenset[str]], ...]
    """Each a kind and the names of the entities that are right for it."""

    def names(self, kind: str, entities: set[str]) -> bool:
        """Say whether a kind on an entity, under any of its names, is one of the causes."""
        return any(kind.split("/", maxsplit=1)[0] == right and entities & ours for right, ours in self.causes)


def truth_of(folder: Path) -> Truth:
    """Read the truth beside a recording."""
    told = loads((folder / "truth.json").read_text(encoding="utf-8"))
    injected, end = (datetime.fromisoformat(told[name]) for name in ("injected_at", "incident_end"))
    causes = tuple((cause["kind"], frozenset(cause["entities"])) for cause in told["causes"])
    return Truth(injected, end, told["healthy"], causes)
