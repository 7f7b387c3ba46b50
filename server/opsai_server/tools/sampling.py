"""How densely metrics are read: the scrape interval, the range of rates and the step between points."""

from opsai_server.tools.desk import Desk
from opsai_subjects.errors import ArgumentInvalid
from opsai_subjects.scrape_interval import rate_range

POINTS = 40
MAX_STEPS = 2_000
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
"""Steps that are chosen from when none is given."""
USUAL_SCRAPE_SECONDS = 15.0
"""The interval most often set, taken while it is not known how often a live cluster is scraped."""


def scrape_seconds(desk: Desk) -> float:
    """Return the time between two samples of a series."""
    recording = desk.cluster.recording
    if recording is not None:
        return recording.incident.scrape_interval_seconds
    return desk.scrape_seconds or USUAL_SCRAPE_SECONDS


def ranged(desk: Desk, promql: str) -> str:
    """Return the query with a range for its rates that holds at least four scrapes, or with the one that is set."""
    seconds = desk.cluster.settings.rate_seconds or rate_range(scrape_seconds(desk))
    return promql.replace("$range", f"{seconds:g}s")


def step(desk: Desk, seconds: float, given: float | None = None) -> float:
    """Return the seconds between points that give about 40 of them. Raises ArgumentInvalid when the given ones make too many."""
    if given is not None:
        if seconds / given > MAX_STEPS:
            advice = f"at least {seconds / MAX_STEPS:.0f}, or a shorter window"
            raise ArgumentInvalid(
                "step_seconds", given, f"over {seconds:.0f} s it makes more than {MAX_STEPS} points", advice
            )
        return given
    least = max(seconds / POINTS, scrape_seconds(desk))
    return float(next((one for one in STEPS if one >= least), STEPS[-1]))
