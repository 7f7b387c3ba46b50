"""The one bridge from our errors to what a model reads: only a ToolError's text reaches it (measured on mcp 2.3)."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from mcp import MCPError
from mcp.server.mcpserver.exceptions import ToolError

from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import clean

log = logging.getLogger(__name__)

ERROR_CHARS = 6_000
"""Claude Code trims an error text at about 11,000 characters."""

LOGGED_CHARS = 300


@contextmanager
def told(tool: str) -> Generator[None]:
    """Turn what a tool raises into what the model reads: an error of ours word for word, anything else as internal."""
    try:
        yield
    except OpsaiError as error:
        log.info("tool_refused tool=%s why=%r", tool, str(error)[:LOGGED_CHARS])
        raise ToolError(clean(str(error), ERROR_CHARS)) from error
    except (ToolError, MCPError):
        raise
    except Exception as error:
        log.exception("tool_failed tool=%s", tool)
        raise ToolError(
            f"internal error {type(error).__name__} in {tool}, logged with its traceback on the server's stderr. "
            "It is a fault of opsai, not of the cluster. Try: another tool, or other arguments."
        ) from None
