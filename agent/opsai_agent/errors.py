"""What can end an investigation, each text written for the person who must act on it.

OpsaiError
└── AgentError
    ├── ServerFailed        opsai-mcp did not start, died, or speaks no MCP
    ├── ModelUnavailable    the model's service cannot be used: key, address, limits, load
    └── FileUnusable        a transcript, a price list or a script cannot be read or written
"""

from opsai_subjects.errors import OpsaiError


class AgentError(OpsaiError):
    """An investigation cannot begin or go on; nothing was concluded."""


class ServerFailed(AgentError):
    """The MCP server did not start, died or does not speak the protocol."""


class ModelUnavailable(AgentError):
    """The model's service refused or did not answer; the ticket stays undiagnosed and can be taken again."""


class FileUnusable(AgentError):
    """A file that this program reads or writes cannot be used."""
