"""The page as one document: its parts put together, and a policy that lets in nothing but them."""

import base64
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

PARTS = files("opsai_server.views") / "parts"
SCRIPTS = ("host", "words", "health", "timeline", "charts", "incident", "main")
"""In the order in which they need each other."""


@cache
def page() -> str:
    """Return the page. It loads nothing, sends nothing but messages to its host, and runs no script but its own."""
    style = _read("style.css")
    script = "'use strict';\n" + "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    policy = f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    parts = {"version": version("opsai"), "policy": policy, "style": style, "script": script}
    whole = _read("page.html")
    for name, part in parts.items():
        whole = whole.replace("{" + name + "}", part, 1)
    return whole


def _read(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
