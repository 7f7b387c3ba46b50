"""What the toy holds to be well, and what its things are called."""

from opsai_subjects.invariant import Invariant
from opsai_subjects.redaction import Redaction
from opsai_subjects.subject import Examples

SLOW_SECONDS = 0.5
FULL_RATIO = 0.9
PLAIN = Redaction()
EXAMPLES = Examples(
    entity="part:a",
    node="a",
    roles=("part",),
    entities="'part:a', 'load'",
    invariant="part_up",
    fault="toy_down",
    topic="parts",
    bug="toy#7",
)
PART_UP = Invariant(
    id="part_up",
    says="Every part runs.",
    why="A part that is gone serves nothing.",
    severity="critical",
    grade="cause",
    for_seconds=30,
    source="the toy's manual",
    unknown_means="The part did not answer us; it may still run.",
)
PART_ROOMY = Invariant(
    id="part_roomy",
    says="No part is full.",
    why="A full part refuses writes.",
    severity="warning",
    grade="cause",
    for_seconds=30,
    unit="ratio",
    limit=FULL_RATIO,
    source="the toy's manual",
    unknown_means="Its fill level is not known.",
    explained_by=("part_up",),
)
PART_FAST = Invariant(
    id="part_fast",
    says="Every part answers quickly.",
    why="Users wait for the slowest part.",
    severity="warning",
    grade="symptom",
    for_seconds=30,
    unit="s",
    limit=SLOW_SECONDS,
    source="the toy's manual",
    unknown_means="Nobody measured it.",
)
PART_SEEN = Invariant(
    id="part_seen",
    says="Every part can be read from here.",
    why="What cannot be read cannot be judged.",
    severity="info",
    grade="sight",
    for_seconds=60,
    source="opsai",
    unknown_means="Never.",
)
