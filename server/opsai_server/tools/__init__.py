"""The MCP tools, one module per question."""
