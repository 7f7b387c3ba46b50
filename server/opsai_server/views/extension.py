"""The extension of MCP Apps: the page as a resource, and which tools' replies it shows."""

from typing import Any

from mcp.server.apps import Apps, ResourceCsp

from opsai_server.views.page import page

VIEW_URI = "ui://opsai/view.html"
SHOWN = ("overview", "timeline")
"""Tools whose replies the page draws."""


def extension() -> Apps:
    """Return the extension. A host without it loses nothing: each reply says in words all that the page draws."""
    apps = Apps()
    apps.add_html_resource(
        VIEW_URI,
        page(),
        name="view",
        title="Cluster health and timeline",
        description="Draws the replies of overview and timeline in hosts that support MCP Apps.",
        csp=ResourceCsp(connect_domains=[], resource_domains=[], frame_domains=[], base_uri_domains=[]),
        prefers_border=True,
    )
    return apps


def view_meta(tool: str) -> dict[str, Any] | None:
    """Return the `_meta` by which a host finds the page for a tool's replies; None: it has none."""
    return {"ui": {"resourceUri": VIEW_URI}} if tool in SHOWN else None
