"""TLS as an operator meets it: an unknown authority, a wrong name, a client certificate that is asked for."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SettingsInvalid, SourceDisconnected, SourceError, SourceUnreachable
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.loopback import bytes_of, http, loopback

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Pki:
    ca: Path
    cert: Path
    key: Path

    def server(self, *, asks_for_certificate: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.ca))
        context.load_cert_chain(self.cert, self.key)
        context.verify_mode = ssl.CERT_REQUIRED if asks_for_certificate else ssl.CERT_NONE
        return context


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    made = Pki(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("an authority", "a node"))
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    usage = x509.KeyUsage(*(text in (0, 5, 6) for text in range(9)))
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca_cert = (
        ca.add_extension(usage, critical=True).add_extension(identifier, critical=False).sign(ca_key, hashes.SHA256())
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    leaf = _builder(name, ca_name, key).add_extension(address, critical=False).add_extension(authority, critical=False)
    made.ca.write_bytes(ca_cert.public_bytes(serialization.Encoding.PEM))
    made.cert.write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(hours=1),
    )


async def ask(
    pki: Pki, access: Access, *, asks_for_certificate: bool = False, scheme: str = "https"
) -> str | SourceError:
    tls = pki.server(asks_for_certificate=asks_for_certificate)
    async with loopback(bytes_of(http(200, b"in")), tls) as served, open_web(access, WebLimits(), allow=("/x",)) as web:
        try:
            return (await web.get(f"{scheme}://127.0.0.1:{served.port}/x", of="pd1")).text
        except SourceError as error:
            return error


async def test_an_endpoint_is_entered_with_its_authority_and_a_client_certificate(pki: Pki) -> None:
    access = Access(ca_file=pki.ca, cert_file=pki.cert, key_file=pki.key)

    assert await ask(pki, access, asks_for_certificate=True) == "in"


async def test_without_verification_any_certificate_will_do(pki: Pki) -> None:
    assert await ask(pki, Access(verify=False)) == "in"


async def test_an_unknown_authority_is_told_with_what_to_set(pki: Pki) -> None:
    failed = await ask(pki, Access())

    assert isinstance(failed, SourceUnreachable)
    assert "CERTIFICATE_VERIFY_FAILED" in failed.came_back
    assert failed.advice == "set ca_file to the authority that signed its certificate"


async def test_an_endpoint_that_asks_for_a_certificate_and_gets_none_breaks_off(pki: Pki) -> None:
    failed = await ask(pki, Access(ca_file=pki.ca), asks_for_certificate=True)

    assert isinstance(failed, SourceDisconnected | SourceUnreachable)
    assert "cert_file and key_file" in failed.advice


async def test_http_spoken_to_a_tls_port_breaks_off_and_the_scheme_is_to_be_checked(pki: Pki) -> None:
    failed = await ask(pki, Access(), scheme="http")

    assert isinstance(failed, SourceDisconnected)
    assert str(failed).startswith("Asked pd1 for /x: the connection broke before the answer was whole (")
    assert failed.advice.endswith("or speaks https:// only")


async def test_tls_spoken_to_a_plain_port_is_told_with_what_to_check() -> None:
    async with loopback(bytes_of(http(400))) as served, open_web(Access(), WebLimits(), allow=("/x",)) as web:
        with pytest.raises(SourceUnreachable, match="SSL") as failed:
            await web.get(f"https://127.0.0.1:{served.port}/x", of="pd1", read_seconds=1.0)

    assert failed.value.advice.startswith("check http:// or https:// in its address")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({"ca_file": "nowhere.pem"}, "ca_file '.*nowhere.pem' cannot be used: .*No such file"),
        ({"ca_file": "text.pem"}, "ca_file '.*text.pem' cannot be used: "),
        (
            {"cert_file": "text.pem", "key_file": "key"},
            "cert_file '.*text.pem' with key_file '.*key.pem' cannot be used: ",
        ),
        (
            {"cert_file": "cert", "key_file": "nowhere.pem"},
            "cert_file '.*cert.pem' with key_file '.*nowhere.pem' cannot",
        ),
    ],
)
async def test_a_file_that_cannot_be_used_is_named(pki: Pki, tmp_path: Path, names: dict[str, str], says: str) -> None:
    (tmp_path / "text.pem").write_text("no certificate", encoding="utf-8")
    known = {"cert": pki.cert, "key": pki.key}
    access = Access.model_validate({field: known.get(name, tmp_path / name) for field, name in names.items()})

    with pytest.raises(SettingsInvalid, match=says):
        async with open_web(access, WebLimits(), allow=("/x",)):
            pass
