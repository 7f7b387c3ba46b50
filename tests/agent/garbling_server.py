"""A server that shakes hands as it should and then answers a call with what is no tool result."""

import json
import sys

HANDSHAKE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "g", "version": "1"},
}
TOOL = {"name": "overview", "description": "", "inputSchema": {"type": "object"}}
RESULTS = {
    "initialize": {"result": HANDSHAKE},
    "tools/list": {"result": {"tools": [TOOL]}},
    "tools/call": {"result": {"content": "nonsense"}},
}

for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        unknown = {"error": {"code": -32601, "message": "no such method"}}
        reply = {"jsonrpc": "2.0", "id": request["id"], **RESULTS.get(request["method"], unknown)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
