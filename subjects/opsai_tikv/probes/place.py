"""What TiKV's probes stand on: this adapter's own subject and facts."""

from opsai_subjects.subject import Visit
from opsai_tikv.facts import TikvFacts
from opsai_tikv.subject import TikvSubject


def subject_of(visit: Visit) -> TikvSubject:
    """Return the cluster as this adapter opened it."""
    if not isinstance(visit.subject, TikvSubject):
        raise TypeError(f"this is no TiKV cluster: {type(visit.subject).__name__}")
    return visit.subject


async def facts_of(visit: Visit) -> TikvFacts:
    """Return the facts of this moment."""
    facts = await visit.facts()
    if not isinstance(facts, TikvFacts):
        raise TypeError(f"these are no facts of a TiKV cluster: {type(facts).__name__}")
    return facts
