"""Under which names a recording's nodes go: grading is by meaning, not by spelling."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aliases:
    """Every name, address and id of a node to the one name that `incident.json` gives it."""

    names: Mapping[str, str]

    def canonical(self, entity: str) -> str:
        """Return the one spelling of an entity, so that two spellings of the same one are equal."""
        if entity in self.names:
            return self.names[entity]
        family, _, rest = entity.partition(":")
        if family == "config":
            return f"config:{rest.rpartition('.')[2]}"
        if family == "link":
            return self._link(rest)
        return entity

    def same(self, true: str, named: str) -> bool:
        """Say whether an investigator's entity is the true one; a family alone (`range`) is any of it (`range:7`)."""
        if ":" not in true and named.startswith(f"{true}:"):
            return True
        return self.canonical(true) == self.canonical(named)

    def _link(self, ends: str) -> str:
        parts = ends.split("-")
        for at in range(1, len(parts)):
            left, right = "-".join(parts[:at]), "-".join(parts[at:])
            if left in self.names and right in self.names:
                return "link:" + "-".join(sorted((self.names[left], self.names[right])))
        return f"link:{ends}"
