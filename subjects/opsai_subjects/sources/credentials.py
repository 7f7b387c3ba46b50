"""How an endpoint is entered: TLS and credentials, which no message ever shows."""

import base64
import re
import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

import anyio

from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SettingsInvalid

Secret = TypeVar("Secret", str, bytes)

CENSORED_CHARS = 8
"""A shorter secret is masked in messages only: in an answer it may be a part of anything."""
MASKED = "***"
_SECRET_HEADER = re.compile(r"auth|token|key|secret|cookie|password", re.IGNORECASE)


@dataclass(frozen=True)
class Credentials:
    """What is sent to be let in, and what must therefore never be shown."""

    headers: Mapping[str, str]
    """Of a request; without what stands in a token file until that is read."""
    token_file: Path | None
    secrets: tuple[str, ...]
    """Masked in messages, the longest first: servers echo headers in their errors."""
    censors: tuple[bytes, ...] = ()
    """Masked in answers before anybody reads them, in each form in which a server may write them."""

    async def read(self) -> "Credentials":
        """Return them with the token of their file, which is read each time: whoever issues tokens rotates them."""
        if self.token_file is None:
            return self
        try:
            token = (await anyio.Path(self.token_file).read_text(encoding="utf-8")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"bearer_token_file {str(self.token_file)!r} cannot be read: {error}") from error
        return self._with({"authorization": f"Bearer {token}"}, token)

    def with_userinfo(self, userinfo: str) -> "Credentials":
        """Return them with the `user:password` of a URL, percent-encoded as it stands there, in place of others."""
        if not userinfo:
            return self
        name, _, password = (unquote(part) for part in userinfo.partition(":"))
        pair = _basic(name, password)
        return self._with({"authorization": f"Basic {pair}"}, pair, password)

    def _with(self, headers: Mapping[str, str], *secrets: str) -> "Credentials":
        return Credentials(
            {**self.headers, **headers},
            None,
            _longest_first((*self.secrets, *secrets)),
            _longest_first((*self.censors, *_forms(secrets))),
        )

    def masked(self, text: str) -> str:
        """Return a message with every secret in it masked."""
        for secret in _longest_first((*self.secrets, *(one.decode() for one in self.censors))):
            text = text.replace(secret, MASKED)
        return text

    def censored(self, body: bytes) -> bytes:
        """Return an answer with what lets us in masked."""
        for secret in self.censors:
            body = body.replace(secret, MASKED.encode())
        return body

    async def censored_parts(self, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Return an answer's parts, censored: the end of each is kept until the next shows that no secret begins there."""
        longest = len(self.censors[0]) - 1 if self.censors else 0
        rest = b""
        async with aclosing(parts):
            async for part in parts:
                data = self.censored(rest + part)
                until = max(0, len(data) - longest)
                rest = data[until:]
                if until:
                    yield data[:until]
        if rest:
            yield rest


def credentials(access: Access) -> Credentials:
    """Return what to send. Raises SettingsInvalid for a value that no header can carry."""
    headers = {name.lower(): value.get_secret_value() for name, value in access.headers.items()}
    keys = [value for name, value in headers.items() if _SECRET_HEADER.search(name)]
    keys += [value.partition(" ")[2] for value in keys]  # what follows Bearer or Basic
    if access.username is not None:
        password = access.password.get_secret_value() if access.password else ""
        pair = _basic(access.username, password)
        headers["authorization"] = f"Basic {pair}"
        keys += [pair, password]
    if access.bearer_token is not None:
        token = access.bearer_token.get_secret_value()
        headers["authorization"] = f"Bearer {token}"
        keys.append(token)
    for name, value in headers.items():
        if not value.isprintable() or not value.isascii():
            raise SettingsInvalid(f"The value of the header {name!r} has characters that a header cannot carry.")
    secrets = _longest_first((*headers.values(), *keys))
    return Credentials(headers, access.bearer_token_file, secrets, _longest_first(_forms(keys)))


def _forms(secrets: Iterable[str]) -> Iterable[bytes]:
    """Yield a secret as it is, as JSON and as a URL write it."""
    for secret in secrets:
        if len(secret) >= CENSORED_CHARS:
            yield from (form.encode() for form in (secret, dumps(secret)[1:-1], quote(secret), quote(secret, safe="")))


def _longest_first(secrets: Iterable[Secret]) -> tuple[Secret, ...]:
    return tuple(sorted({secret for secret in secrets if secret}, key=len, reverse=True))


def _basic(name: str, password: str) -> str:
    return base64.b64encode(f"{name}:{password}".encode()).decode()


def tls_context(access: Access) -> ssl.SSLContext:
    """Return the TLS context. Raises SettingsInvalid naming the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(access.ca_file) if access.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(f"ca_file {str(access.ca_file)!r} cannot be used: {error}") from error
    if access.cert_file is not None:
        try:
            context.load_cert_chain(access.cert_file, access.key_file, password=_no_passphrase)
        except (OSError, ssl.SSLError) as error:
            raise SettingsInvalid(
                f"cert_file {str(access.cert_file)!r} with key_file {str(access.key_file)!r} cannot be used: {error}"
            ) from error
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _no_passphrase() -> str:
    return ""  # without this OpenSSL would ask on the terminal, which over stdio belongs to the protocol
