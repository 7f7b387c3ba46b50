"""DEEDS: what can be done to a scene, written from what a fault does and not from its signs."""

from collections.abc import Callable

from tests.tikv.scene import Scene

DEEDS: dict[str, tuple[Callable[[Scene], None], str, frozenset[str]]] = {}
"""Name of the deed to what it does, the kind it is, and the entities any of which is right."""


def deed(kind: str, *entities: str) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register a deed."""

    def register(do: Callable[[Scene], None]) -> Callable[[Scene], None]:
        DEEDS[do.__name__] = (do, kind, frozenset(entities))
        return do

    return register


def gone(scene: Scene, store: str) -> None:
    """Let a store's process be gone: nothing listens, PD and its peers miss it."""
    scene.vanish(store)
    scene.set("scrape_seconds", store, 0.0004)
    scene.store(store, status_port="refused", state="Disconnected", heartbeat_age_seconds=130.0, leader_count=0)
    scene.log(store, silent_seconds=135)
    scene.accuse(store)
