"""Secrets taken out of what a node answered before it is written down: a recording is handed around, credentials are not.

PD and TiKV answer their whole configuration (`/pd/api/v1/config`, `/config`), and encryption at rest, backups and CDC have
keys of cloud storage in it (`secret-access-key`, `client-secret`, `shared-key`; TiKV components/encryption/src/config.rs).
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
