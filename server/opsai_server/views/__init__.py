"""What a host of MCP Apps shows beside a reply: one page, which gets all it draws from tool results."""
