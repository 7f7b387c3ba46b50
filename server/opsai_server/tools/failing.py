"""The one bridge from our errors to what a model reads: of a tool only a ToolError's text reaches it (measured on mcp 2.3)."""

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from mcp import MCPError
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS

from opsai_subjects.errors import ArgumentInvalid, OpsaiError, UnknownName
from opsai_subjects.model import clean

log = logging.getLogger(__name__)

ERROR_CHARS = 6_000
"""Claude Code trims an error text at about 11,000 characters."""

LOGGED_CHARS = 300
CLUSTER_CHARS = 200


@dataclass(slots=True)
class Asked:
    """What is asked, as far as it is known when it fails."""

    cluster: str = ""
    """Empty until a cluster was meant and found: what is refused before that is of none."""


@contextmanager
def told(tool: str) -> Generator[Asked]:
    """Turn what a tool raises into what the model reads: an error of ours word for word and of which cluster, else as internal."""
    asked = Asked()
    try:
        yield asked
    except OpsaiError as error:
        log.debug("tool_refused tool=%s cluster=%r kind=%s why=%r", tool, asked.cluster, *_of(error))
        raise ToolError(_of_cluster(clean(str(error), ERROR_CHARS), clean(asked.cluster, CLUSTER_CHARS))) from error
    except (ToolError, MCPError):
        raise
    except Exception as error:
        log.exception("tool_failed tool=%s", tool)
        raise ToolError(f"{_internal(error, f' in {tool}')} Try: another tool, or other arguments.") from None


def _of(error: OpsaiError) -> tuple[str, str]:
    """Return its kind and its words for the log, at DEBUG alone: they may repeat the caller's question, or an answer of the cluster."""
    return type(error).__name__, clean(str(error), LOGGED_CHARS)


def _internal(error: Exception, where: str = "") -> str:
    return (
        f"internal error {type(error).__name__}{where}, logged with its traceback on the server's stderr. "
        "It is a fault of opsai, not of the cluster."
    )


def _of_cluster(says: str, cluster: str) -> str:
    return says if not cluster or repr(cluster) in says else f"{says} (cluster {cluster!r})"


@contextmanager
def told_protocol(what: str, data: Mapping[str, str]) -> Generator[None]:
    """Turn what a resource or a prompt raises into an error of the protocol.

    What is not known or cannot be meant is -32602, which is also what the protocol says of a resource that is not there
    (SEP-2164); everything else -32603.
    """
    try:
        yield
    except OpsaiError as error:
        log.debug("%s_refused kind=%s why=%r", what, *_of(error))
        code = INVALID_PARAMS if isinstance(error, UnknownName | ArgumentInvalid) else INTERNAL_ERROR
        raise MCPError(code, clean(str(error), ERROR_CHARS), dict(data)) from error
    except MCPError:
        raise
    except Exception as error:
        log.exception("%s_failed", what)
        raise MCPError(INTERNAL_ERROR, _internal(error), dict(data)) from None
