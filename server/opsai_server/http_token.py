"""The bearer token that callers of `opsai-mcp --http` must show: where it is read from, and when there must be one."""

import logging
import os
import re
import stat
from pathlib import Path

from pydantic import SecretStr

from opsai_server.listening import Address
from opsai_subjects.config import Settings
from opsai_subjects.errors import SettingsInvalid

log = logging.getLogger(__name__)

MIN_CHARS = 16
MAKE_ONE = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 section 2.1: what can stand behind `Authorization: Bearer`."""
_MAX_FILE_BYTES = 4096
_OTHERS = stat.S_IRWXO
"""A group may have been given it on purpose, as Kubernetes gives secrets."""


def bearer_token(address: Address, token_file: Path | None, settings: Settings) -> SecretStr | None:
    """Return the token: of the flag's file, else of the environment or the settings; None where none is needed.

    Raises SettingsInvalid when others could reach the address and there is none, or when what there is cannot serve as one.
    """
    if token_file is not None:
        return _read(token_file, "--token-file")
    if settings.http_token is not None:
        return _fit(settings.http_token.get_secret_value(), "OPSAI_HTTP_TOKEN (or http_token)")
    if settings.http_token_file is not None:
        return _read(settings.http_token_file, "http_token_file")
    if address.is_loopback:
        return None
    raise SettingsInvalid(
        f"Whoever reaches {address.host} could ask this server anything: it takes a bearer token there. Give --token-file "
        f"FILE or set OPSAI_HTTP_TOKEN, or listen at 127.0.0.1. {MAKE_ONE}"
    )


def _read(path: Path, of: str) -> SecretStr:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise SettingsInvalid(f"{of} {str(path)!r} cannot be read: {error.strerror}.") from error
    if os.name == "posix" and mode & _OTHERS:
        log.warning(
            "token_file_open_to_others file=%s mode=%04o advice='chmod 600 it, or make a new token'", path, mode
        )
    return _fit(content.decode("utf-8", "replace"), f"{of} {str(path)!r}")


def _fit(text: str, of: str) -> SecretStr:
    token = text.strip()
    if len(token) < MIN_CHARS or not _TOKEN.fullmatch(token):
        raise SettingsInvalid(
            f"{of} holds no token: at least {MIN_CHARS} characters of A-Z a-z 0-9 - . _ ~ + / and = at the end. {MAKE_ONE}"
        )
    return SecretStr(token)
