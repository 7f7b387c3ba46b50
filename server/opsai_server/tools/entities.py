"""Which entity a time series is about, and what people call an entity."""

import functools
from collections.abc import Mapping
from functools import partial

from opsai_server.tools.desk import Desk
from opsai_subjects.subject import Facts

ENTITY_LABELS = ("store", "store_id", "instance", "node")
"""Labels that name what a series is about, before the one that names who reported it. The adapter says what they mean."""
NAMING_LABELS = (*ENTITY_LABELS, "address", "name")
SAME_EVERYWHERE = ("__name__", "job")


class Entities:
    """The entities of one moment; each name is asked of the adapter once."""

    def __init__(self, desk: Desk, facts: Facts) -> None:
        self._same = functools.cache(partial(desk.subject.same_entity, facts))

    def of(self, labels: Mapping[str, str]) -> str | None:
        """Return the entity that the labels name, None when they name none."""
        named = (self._same(labels[label]) for label in ENTITY_LABELS if labels.get(label))
        return next((entity for entity in named if entity), None)

    def apart(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the labels that tell a series from others about the same entity: those that do not name it."""
        entity = self.of(labels)
        return tuple(
            (label, value)
            for label, value in sorted(labels.items())
            if label not in SAME_EVERYWHERE
            and not (entity is not None and label in NAMING_LABELS and self._same(value) == entity)
        )


def name_of(facts: Facts, entity: str) -> str:
    """Return what people call the node of an entity; the entity itself where it is no node."""
    return next((node.name for node in facts.nodes if node.entity == entity), entity)
