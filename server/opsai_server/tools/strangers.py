"""What a shared engine holds of other clusters: their series are left out of a reply, counted and named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from opsai_server.tools.desk import Desk
from opsai_subjects.model import MetricsReply, Series
from opsai_subjects.promql.scoping import contradictions, metric_names, of_settings, shown
from opsai_subjects.subject import Facts

NAMES_TOLD = 5


def ours(desk: Desk, facts: Facts, reply: MetricsReply, promql: str) -> tuple[MetricsReply, str]:
    """Return the reply without series of nodes that are none of this cluster, and what was left out (empty: nothing)."""
    kept, names = parted(desk, facts, reply.series, promql)
    return (replace(reply, series=tuple(kept)), told(desk, names)) if names else (reply, "")


def parted(desk: Desk, facts: Facts, found: Iterable[Series], promql: str) -> tuple[list[Series], list[str]]:
    """Return the series of this cluster, and for each of the others what it names."""
    stranger = desk.subject.foreign(facts, metric_names(promql))
    kept: list[Series] = []
    names: list[str] = []
    for series in found:
        name = stranger(series.labels)
        if name:
            names.append(name)
        else:
            kept.append(series)
    return kept, names


def told(desk: Desk, names: Sequence[str]) -> str:
    """Return the sentence that says what was left out; empty for nothing."""
    if not names:
        return ""
    some = list(dict.fromkeys(names))
    more = f" and {len(some) - NAMES_TOLD} more" if len(some) > NAMES_TOLD else ""
    says = f"{len(names)} series name nodes that are none of this cluster: {', '.join(some[:NAMES_TOLD])}{more}."
    if not desk.cluster.settings.matchers:
        says += " If the engine serves several clusters, sums mix them: set `matchers` (opsai check says which)."
    return says


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
