"""Secrets taken out of what a node answered before it is written down: a recording is handed around, credentials are not.

Nodes answer their whole configuration where they are asked for it, and encryption at rest, backups and feeds of changes have
keys of cloud storage in it (`secret-access-key`, `client-secret`, `shared-key`).
Only the values go: names, numbers and everything else stay byte for byte.
"""

import re

MASK = "‹secret›"

_HINTS = ("secret", "passw", "token", "credential", "access-key", "access_key", "accesskey", "shared-key", "shared_key")
_NAMES = "secret|passw(?:or)?d|token|credential|access[-_]?key|shared[-_]?key"
_MEMBER = re.compile(
    rf'("[^"\\]{{0,80}}(?:{_NAMES})[^"\\]{{0,80}}"\s*:\s*")((?:[^"\\]|\\.)+)(?=")',
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^\s/?#\"'@]{1,200}:[^\s/?#\"'@]{1,200}@")


def masked(body: str) -> str:
    """Return an answer with the values of members named like a secret, and `user:password@` of URLs, masked."""
    if "@" in body:
        body = _USERINFO.sub(f"{MASK}@", body)
    lower = body.lower()
    if any(hint in lower for hint in _HINTS):
        body = _MEMBER.sub(lambda found: f"{found[1]}{MASK}", body)
    return body
