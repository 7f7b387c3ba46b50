"""The resource `opsai://clusters`: the clusters that this server shows. It waits for none of them."""

from opsai_server.resources.reading import SCHEME, Reading, json_reading
from opsai_server.tools.desks import Desks
from opsai_subjects.reply import Rows

URI = f"{SCHEME}clusters"
ROWS = 200


async def read_clusters(desks: Desks) -> Reading:
    """Return name, subject and whether it can be asked at once, in the order of the settings."""
    ready = {desk.name for desk in desks.ready}
    rows = [
        {"name": name, "subject": kind.name, "ready": name in ready} for name, kind in list(desks.kinds.items())[:ROWS]
    ]
    shown: dict[str, object] = {"clusters": Rows(rows, len(desks.kinds), "ask a tool with cluster=NAME all the same")}
    if len(ready) < len(desks.kinds):
        shown["note"] = "One that is not ready is still being made ready (a recording is played): calls wait for it."
    return json_reading(URI, {}, shown)
