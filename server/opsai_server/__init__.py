"""What serves and remembers: evidence, tickets, the watcher, the MCP server."""
