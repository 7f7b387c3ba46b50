"""What is searched when somebody asks: the configured logs, and the nodes themselves where those have none."""

from collections.abc import Awaitable, Callable, Sequence

from opsai_subjects.config import ClusterSettings
from opsai_subjects.model import LogSource, Node
from opsai_subjects.sources.combined import IN_FILES, CombinedLogs
from opsai_subjects.sources.redaction import RedactedLogs
from opsai_subjects.subject import Sources
from opsai_tikv.logs.diagnostics import ORIGIN, DiagnosticsLogs
from opsai_tikv.logs.diagnostics_rpc import Diagnostics
from opsai_tikv.logs.rows import ROWS


def diagnostics_of(
    settings: ClusterSettings, sources: Sources, nodes: Callable[[], Awaitable[Sequence[Node]]]
) -> DiagnosticsLogs:
    """Return the nodes' diagnostics services as a source; nothing is asked of any yet."""
    tls = any(url.startswith("https://") for url in settings.endpoints)
    rpc = Diagnostics(settings.cluster_access, tls=tls)
    return DiagnosticsLogs(rpc, nodes, sources.clock, sources.reach, sources.logs)


def asked_logs(settings: ClusterSettings, logs: LogSource | None, diagnostics: DiagnosticsLogs) -> LogSource:
    """Return the configured logs with the nodes' own services behind them."""
    shown = RedactedLogs(diagnostics, ROWS) if settings.redact else diagnostics
    return CombinedLogs({IN_FILES: logs, ORIGIN: shown} if logs is not None else {ORIGIN: shown})
