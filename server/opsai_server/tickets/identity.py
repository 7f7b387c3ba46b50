"""Identity: which cluster was first seen under a name."""

from datetime import datetime

from opsai_subjects.model import Value


class Identity(Value):
    """A cluster as it was first seen."""

    cluster: str
    """The name it has here."""
    cluster_id: str
    """What it calls itself."""
    first_seen: datetime
