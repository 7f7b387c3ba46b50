"""How an endpoint is entered: TLS and credentials, which no message ever shows."""

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import anyio

from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SettingsInvalid


@dataclass(frozen=True)
class Credentials:
    """What is sent to be let in, and what must therefore never be shown."""

    fixed: dict[str, str]
    token_file: Path | None
    secrets: tuple[str, ...]

    async def headers(self) -> dict[str, str]:
        """Return the headers of a request. A token file is read each time, since whoever issues tokens rotates them."""
        if self.token_file is None:
            return self.fixed
        try:
            token = (await anyio.Path(self.token_file).read_text(encoding="utf-8")).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"bearer_token_file {str(self.token_file)!r} cannot be read: {error}") from error
        return {**self.fixed, "authorization": f"Bearer {token}"}

    def with_userinfo(self, userinfo: str) -> "Credentials":
        """Return them with the `user:password` of a URL, percent-encoded as it stands there, in place of others."""
        if not userinfo:
            return self
        name, _, password = (unquote(part) for part in userinfo.partition(":"))
        pair = _basic(name, password)
        secrets = (pair, password, *self.secrets)
        return Credentials({**self.fixed, "authorization": f"Basic {pair}"}, None, tuple(s for s in secrets if s))

    def masked(self, text: str) -> str:
        """Return the text with every secret in it masked: servers echo headers in their errors."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def credentials(access: Access) -> Credentials:
    """Return what to send. Raises SettingsInvalid for a value that no header can carry."""
    fixed = {name.lower(): value.get_secret_value() for name, value in access.headers.items()}
    secrets = list(fixed.values())
    if access.username is not None:
        password = access.password.get_secret_value() if access.password else ""
        pair = _basic(access.username, password)
        fixed["authorization"] = f"Basic {pair}"
        secrets += [pair, password]
    if access.bearer_token is not None:
        token = access.bearer_token.get_secret_value()
        fixed["authorization"] = f"Bearer {token}"
        secrets.append(token)
    for name, value in fixed.items():
        if not value.isprintable() or not value.isascii():
            raise SettingsInvalid(f"The value of the header {name!r} has characters that a header cannot carry.")
    return Credentials(fixed, access.bearer_token_file, tuple(sorted((s for s in secrets if s), key=len, reverse=True)))


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
