"""The resource `opsai://diagnoses/{id}`: what was concluded, and what the server found of each claim."""

from opsai_server.resources.finding import find_diagnosis
from opsai_server.resources.reading import SCHEME, Reading, json_reading
from opsai_server.tickets.diagnosis import CheckedClaim
from opsai_server.tools.desks import Desks
from opsai_server.tools.shaping import moment
from opsai_subjects.reply import Rows, Whole, without_empty


def diagnosis_uri(ident: str) -> str:
    """Return where a diagnosis is read."""
    return f"{SCHEME}diagnoses/{ident}"


async def read_diagnosis(desks: Desks, id: str) -> Reading:  # noqa: A002 (the template's own word)
    """Return a diagnosis whole. Raises UnknownName."""
    desk, found = await find_diagnosis(desks, id)
    said = found.submission
    narrow = "the evidence it cites by opsai://evidence/ID"
    held = sum(one.held for one in found.checked)
    own = len(said.claims)
    shown: dict[str, object] = {
        "diagnosis": found.id,
        "ticket": found.ticket,
        "by": found.by,
        "verdict": said.verdict,
        "confidence": found.confidence,
        "because": Rows(found.confidence_because, len(found.confidence_because), narrow),
        "summary": Whole(said.summary),
        "root_causes": Rows(said.root_causes, len(said.root_causes), narrow),
        "action": said.action,
        "claims_held": f"{held} of {len(found.checked)}",
        "claims": Rows([_claim(one) for one in found.checked[:own]], own, narrow),
        "correlated_metrics": Rows(said.correlated_metrics, len(said.correlated_metrics), narrow),
        "alternatives": Rows(
            [one.model_dump(exclude={"claims"}) for one in said.alternatives], len(said.alternatives), narrow
        ),
        "claims_of_alternatives": Rows([_claim(one) for one in found.checked[own:]], len(found.checked) - own, narrow),
        "not_seen": Rows(found.not_seen, len(found.not_seen), narrow),
    }
    head = {"cluster": desk.name, "at": moment(found.at)}
    return json_reading(diagnosis_uri(found.id), head, shown, desk.name)


def _claim(one: CheckedClaim) -> dict[str, object]:
    found = {"found": one.found, "why": one.why}
    return {**one.claim.model_dump(exclude_none=True), "held": one.held, **without_empty(found)}
