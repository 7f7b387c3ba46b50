"""KIND: the etcd adapter as the entry point names it."""

from collections.abc import Mapping

from opsai_etcd.faults import FAULTS
from opsai_etcd.invariants import INVARIANTS
from opsai_etcd.knowledge_pages import fault_notes, pages
from opsai_etcd.known_bugs import known_bugs
from opsai_etcd.logs.lines import parse_log
from opsai_etcd.metrics import SIGNALS
from opsai_etcd.paths import PATHS, POLLED, RPCS
from opsai_etcd.scraped import METRICS
from opsai_etcd.signs import SIGNS
from opsai_etcd.subject import EtcdSubject
from opsai_subjects.config import ClusterSettings
from opsai_subjects.known_bug import KnownBug
from opsai_subjects.model import ParsedLine
from opsai_subjects.subject import Examples, Page, Probe, Sources, Subject, SubjectKind


class EtcdKind(SubjectKind):
    """etcd, versions 3.4 to 3.6."""

    name = "etcd"
    about = (
        "etcd keeps a small key-value store in one raft group of three or five members. One leads: it takes every write and "
        "commits it once a majority has it on disk. Without a majority nothing is written and no linearizable read is served. "
        "Learners get the log and do not vote. Entities: a member goes by its name (etcd1); `cluster` is the whole. A member that "
        "does not answer us may be well: what its peers say of it decides."
    )
    invariants = INVARIANTS
    signs = SIGNS
    faults = FAULTS
    signals = SIGNALS
    probes: tuple[Probe, ...] = ()
    scraped = METRICS
    paths = PATHS
    rpcs = RPCS
    endpoint = "an etcd member"
    endpoint_roles = ("etcd",)
    polled = POLLED
    examples = Examples(
        entity="etcd1",
        node="etcd1",
        roles=("etcd",),
        entities="a member's name, 'cluster'",
        invariant="etcd_member_up",
        fault="etcd_member_down",
        topic="raft",
        bug="etcd#13766",
    )

    @property
    def knowledge(self) -> tuple[Page, ...]:
        """What an operator knows, read when first asked for."""
        return pages()

    @property
    def fault_notes(self) -> Mapping[str, str]:
        """What the data of a fault kind does not say, by its id."""
        return fault_notes()

    @property
    def known_bugs(self) -> tuple[KnownBug, ...]:
        """The table of known bugs."""
        return known_bugs()

    def parse_log(self, line: str) -> ParsedLine | None:
        """Read one log line: zap's JSON or console, or capnslog."""
        return parse_log(line)

    def open(self, name: str, cluster: ClusterSettings, sources: Sources) -> Subject:
        """Return the cluster of that name as a subject."""
        return EtcdSubject(self, name, cluster, sources)


KIND = EtcdKind()
