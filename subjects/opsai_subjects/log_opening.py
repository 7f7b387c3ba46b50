"""Opening whatever holds the logs of a cluster: files, containers, Loki, behind one source."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.model import Clock, LogSource, StateSource
from opsai_subjects.sources.combined import IN_FILES, CombinedLogs, CombinedStates
from opsai_subjects.sources.docker import open_docker
from opsai_subjects.sources.files import FileLogs
from opsai_subjects.sources.kubernetes import open_kubernetes
from opsai_subjects.sources.logs import Parse
from opsai_subjects.sources.loki import PATHS as LOKI_PATHS
from opsai_subjects.sources.loki import Loki
from opsai_subjects.sources.paths import below
from opsai_subjects.sources.web import open_web


@dataclass(frozen=True)
class OpenLogs:
    """What was opened: None where nothing of the kind is set."""

    logs: LogSource | None
    states: StateSource | None


@asynccontextmanager
async def open_logs(
    settings: ClusterSettings, limits: WebLimits, parse: Parse, clock: Clock
) -> AsyncGenerator[OpenLogs]:
    """Open each source of logs that is set; nothing is asked of any yet. Raises SettingsInvalid for unusable keys."""
    found: dict[str, LogSource] = {}
    states: list[StateSource] = []
    async with AsyncExitStack() as stack:
        if settings.logs:
            found[IN_FILES] = FileLogs(settings.logs, parse)
        if settings.docker is not None:
            docker = await stack.enter_async_context(open_docker(settings.docker, limits, parse))
            found["docker"] = docker
            states.append(docker)
        if settings.kubernetes is not None:
            pods = await stack.enter_async_context(open_kubernetes(settings.kubernetes, limits, parse, clock))
            found["kubernetes"] = pods
            states.append(pods)
        if settings.loki is not None:
            allow = below(LOKI_PATHS, (settings.loki.url,))
            web = await stack.enter_async_context(open_web(settings.loki.access, limits, allow=allow))
            found["loki"] = Loki(settings.loki, web, parse, clock)
        only_files = list(found) == [IN_FILES]
        logs = found[IN_FILES] if only_files else CombinedLogs(found) if found else None
        yield OpenLogs(logs, CombinedStates(states) if states else None)
