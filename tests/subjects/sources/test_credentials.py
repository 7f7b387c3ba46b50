"""TLS as an operator meets it: an unknown authority, a wrong name, a client certificate that is asked for."""

from pathlib import Path

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SettingsInvalid, SourceDisconnected, SourceError, SourceUnreachable
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.loopback import bytes_of, http, loopback
from tests.subjects.sources.pki import Pki, made_in

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_in(tmp_path_factory.mktemp("pki"))


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
