"""KIND: the TiKV adapter as the entry point names it."""

from collections.abc import Callable, Mapping

from opsai_subjects.config import ClusterSettings
from opsai_subjects.known_bug import KnownBug
from opsai_subjects.model import ParsedLine
from opsai_subjects.subject import Examples, Page, Sources, Subject, SubjectKind
from opsai_tikv.faults import FAULTS
from opsai_tikv.invariants import INVARIANTS
from opsai_tikv.knowledge_pages import fault_notes, pages
from opsai_tikv.known_bugs import known_bugs
from opsai_tikv.logs.every import parse_log
from opsai_tikv.logs.rows import ROWS
from opsai_tikv.metrics import SIGNALS
from opsai_tikv.paths import PATHS
from opsai_tikv.polled import LOCAL_HEADERS, POLLED, answered_by
from opsai_tikv.probes import PROBES
from opsai_tikv.scraped import METRICS
from opsai_tikv.signs import SIGNS
from opsai_tikv.subject import TikvSubject


class TikvKind(SubjectKind):
    """TiKV with PD, with or without TiDB."""

    name = "tikv"
    about = (
        "TiKV stores data in regions, each a raft group of (mostly) three peers on different stores; one peer is the leader "
        "and serves. PD members (an etcd of three or five) keep the map, hand out timestamps and schedule; one of them leads. "
        "A store reports to PD every 10 s: Disconnected after 20 s of silence, Down after 30 minutes. Entities: `store:4` is a "
        "store by PD's id; a PD member goes by its PD name. Slow: latency names the stage and the store. Uneven, or nothing moves: "
        "scheduling says what blocks it. Before a stop: regions(stop=…)."
    )
    invariants = INVARIANTS
    signs = SIGNS
    faults = FAULTS
    signals = SIGNALS
    probes = PROBES
    scraped = METRICS
    paths = PATHS
    endpoint = "a PD member"
    endpoint_roles = ("pd",)
    polled = POLLED
    local_headers = LOCAL_HEADERS
    examples = Examples(
        entity="store:4",
        node="tikv1",
        roles=("pd", "tikv"),
        entities="'store:4', a PD member's name, 'region', 'config:schedule.leader-schedule-limit' …",
        invariant="store_up",
        fault="tikv_down",
        topic="raft",
        bug="tikv#18214",
    )
    parts = ("store", "region", "peer")
    redaction = ROWS

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

    def answered_by(self, asked: str, recorded: str) -> Callable[[bytes], bytes] | None:
        """Return what narrows a recorded list of stores to the states asked for."""
        return answered_by(asked, recorded)

    def parse_log(self, line: str) -> ParsedLine | None:
        """Read one log line of the unified format."""
        return parse_log(line)

    def open(self, name: str, cluster: ClusterSettings, sources: Sources) -> Subject:
        """Return the cluster of that name as a subject."""
        return TikvSubject(self, name, cluster, sources)


KIND = TikvKind()
