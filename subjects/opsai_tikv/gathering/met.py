"""What the nodes' answers told beside what was asked: the time they have, and when their certificates end."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from opsai_subjects.subject import Sources
from opsai_tikv.facts import PROMETHEUS, StoreFacts
from opsai_tikv.pd.reaching import reached
from opsai_tikv.pd.values import View


def told_beside(
    sources: Sources,
    since: datetime,
    views: Sequence[View],
    stores: Sequence[StoreFacts],
    prometheus: str | None,
) -> dict[str, object]:
    """Return the `clocks` and `certificates` of the facts, from what was answered since then.

    Several nodes behind one address (a proxy) tell no time: it is the proxy's.
    """
    if sources.meetings is None:
        return {}
    bases = {view.name: reached(view.url, sources.reach) for view in views}
    bases |= {one.entity: reached(one.status_address, sources.reach) for one in stores if one.status_address}
    if prometheus is not None:
        bases[PROMETHEUS] = prometheus
    found = {entity: met for entity, base in bases.items() if (met := sources.meetings.of(base)) is not None}
    behind = Counter(met.origin for met in found.values())
    clocks = {
        entity: round(met.clock_ahead_seconds, 2)
        for entity, met in found.items()
        if met.clock_ahead_seconds is not None and met.at >= since and behind[met.origin] == 1
    }
    certificates = {met.origin: met.certificate_ends_at for met in sources.meetings.all() if met.is_tls}
    return {"clocks": clocks, "certificates": certificates}
