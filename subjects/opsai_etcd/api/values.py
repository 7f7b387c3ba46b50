"""What members say of themselves and of each other, as values: all ids are strings, hexadecimal as etcd's logs write them."""

from typing import Literal

from opsai_subjects.model import Value

Outcome = Literal["answered", "refused", "cut_off", "timed_out", "disconnected", "unresolved", "error", "unknown"]
"""How a client port met the question.

`refused`: nothing listens there. `cut_off`: no connection within the time, or no route. `timed_out`: it took the
connection and did not answer. `unknown`: it was not asked.
"""
SILENT: tuple[Outcome, ...] = ("cut_off", "timed_out", "disconnected")


class Member(Value):
    """One row of the list of members."""

    id: str
    name: str
    """Empty while a member that was added has never started."""
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    is_learner: bool


class Alarm(Value):
    """One alarm that is raised, by the member it is of."""

    member_id: str
    kind: str
    """NOSPACE or CORRUPT."""


class Status(Value):
    """What a member says of itself."""

    member_id: str
    cluster_id: str
    version: str
    leader_id: str
    """Empty when it knows none."""
    raft_term: int
    raft_index: int
    applied_index: int | None
    """None on versions before 3.4."""
    db_bytes: int
    db_in_use_bytes: int | None
    """None on versions before 3.4."""
    quota_bytes: int | None
    """None on versions before 3.6: the metric has it."""
    is_learner: bool
    alarms: tuple[Alarm, ...]
    errors: tuple[str, ...]
    """What it complains of beside alarms: `etcdserver: no leader`."""


class View(Value):
    """How one endpoint met us, and what it said."""

    url: str
    """As it was dialled."""
    address: str
    """host:port as it is advertised, or as the settings name it."""
    outcome: Outcome
    why: str = ""
    """What came back where that was no answer."""
    seconds: float = 0.0
    """How long `/version` took."""
    server_version: str = ""
    cluster_version: str = ""
    status: Status | None = None
    members: tuple[Member, ...] | None = None
    healthy: bool | None = None
    """What `/health` says; None when it did not say."""
    health_says: str = ""
