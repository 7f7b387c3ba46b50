"""What a shared engine holds of other clusters: their series are left out of a reply, counted and named."""

from collections.abc import Mapping
from dataclasses import replace

from opsai_server.tools.desk import Desk
from opsai_subjects.model import MetricsReply, Series
from opsai_subjects.promql.scoping import contradictions, metric_names, of_settings, shown
from opsai_subjects.subject import Facts

NAMES_TOLD = 5


def ours(desk: Desk, facts: Facts, reply: MetricsReply, promql: str) -> tuple[MetricsReply, str]:
    """Return the reply without series of nodes that are none of this cluster, and what was left out (empty: nothing)."""
    stranger = desk.subject.foreign(facts, metric_names(promql))
    kept: list[Series] = []
    names: list[str] = []
    for series in reply.series:
        name = stranger(series.labels)
        if name:
            names.append(name)
        else:
            kept.append(series)
    if not names:
        return reply, ""
    some = list(dict.fromkeys(names))
    more = f" and {len(some) - NAMES_TOLD} more" if len(some) > NAMES_TOLD else ""
    says = f"{len(names)} series name nodes that are none of this cluster: {', '.join(some[:NAMES_TOLD])}{more}."
    if not desk.cluster.settings.matchers:
        says += " If the engine serves several clusters, sums mix them: set `matchers` (opsai check says which)."
    return replace(reply, series=tuple(kept)), says


def narrowing(promql: str, matchers: Mapping[str, str], *, found: bool) -> list[str]:
    """Return what the cluster's matchers did to a query, where it matters: it contradicts them, or found nothing."""
    if not matchers:
        return []
    allowed = of_settings(matchers)
    asked = contradictions(promql, allowed)
    if asked:
        return [
            f"The query asks for {', '.join(asked)}, and this cluster is {shown(allowed)} (`matchers`): no series is both."
        ]
    return [] if found else [f"Only series with {shown(allowed)} are looked at (`matchers`)."]
