"""What was done in a live run, as `truth.json` of its recording says it."""

import json
from pathlib import Path

from opsai_lab.chaos.injecting import Injected
from opsai_lab.live.steps import Healed
from opsai_lab.targets.folder import write_whole
from opsai_lab.truth import TrueCause

WHOLE = "cluster"
"""The entity of a fault that is nobody's alone, as adapters call it."""


def true_causes(injected: Injected) -> tuple[TrueCause, ...]:
    """Return the cause that an investigation should name; any of its entities is right. Pure."""
    return (TrueCause(kind=injected.kind, entities=injected.entities or (WHOLE,)),)


def write_truth(recording: Path, injected: Injected, healed: Healed) -> None:
    """Write what was done beside the recording of it. Raises LabError."""
    harms = [harm.model_dump(mode="json", exclude_defaults=True) for harm in injected.harms]
    truth = {
        "healthy": False,
        "verdict": "fault",
        "causes": [cause.model_dump(mode="json") for cause in true_causes(injected)],
        "note": injected.says,
        "injected_at": injected.at.isoformat(),
        "incident_end": healed.began_at.isoformat(),
        "recovered_at": healed.at.isoformat(),
        "steps": [
            {"at": injected.at.isoformat(), "phase": "inject", "action": harm["name"], "args": [harm["node"]]}
            for harm in harms
        ]
        + [
            {"at": healed.at.isoformat(), "phase": "recover", "action": "undo", "args": [harm["node"]]}
            for harm in harms
        ],
        "harms": harms,
    }
    write_whole(recording / "truth.json", json.dumps(truth, indent=1) + "\n")
