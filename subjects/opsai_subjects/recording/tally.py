"""What recording costs the cluster, and what of it could not be kept."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts of what was asked of the cluster, and notes for the reader of the recording."""

    asked: int = 0
    read_bytes: int = 0
    _notes: dict[str, None] = field(default_factory=dict[str, None])

    def answered(self, size_bytes: int) -> None:
        """Count one question and the size of its answer (0: it failed)."""
        self.asked += 1
        self.read_bytes += size_bytes

    def note(self, says: str) -> None:
        """Keep a sentence on what is not in the recording; the same one once."""
        self._notes.setdefault(says)

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences, in the order they came."""
        return tuple(self._notes)
