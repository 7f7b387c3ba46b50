"""What the one HTTP client sends, what it refuses to send, and what a reader is told when an endpoint misbehaves."""

import gzip
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.abc import ByteStream
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access, without_userinfo
from opsai_subjects.errors import (
    OpsaiError,
    SettingsInvalid,
    SourceDisconnected,
    SourceError,
    SourceMalformed,
    SourceRefused,
    SourceTimedOut,
    SourceTooLarge,
    SourceUnreachable,
)
from opsai_subjects.sources.web import Web, WebReply, open_web
from tests.subjects.sources.loopback import Answer, Loopback, bytes_of, http, loopback, never

pytestmark = pytest.mark.anyio
ANY = ("/.*",)
LIMITS = WebLimits(connect_seconds=2.0, read_seconds=2.0, max_body_bytes=1000)


@asynccontextmanager
async def asking(
    answer: Answer, access: Access | None = None, limits: WebLimits = LIMITS
) -> AsyncGenerator[tuple[Web, Loopback]]:
    async with loopback(answer) as served, open_web(access or Access(), limits, allow=ANY) as web:
        yield web, served


async def test_an_answer_comes_whole_with_its_status_and_type() -> None:
    async with asking(bytes_of(http(200, b'{"a":[1]}', content_type="application/json"))) as (web, served):
        reply = await web.get(f"{served.url}/x", of="pd1", params=[("state", "0"), ("state", "1")])

    assert (reply.status, reply.content_type, reply.text, reply.json()) == (
        200,
        "application/json",
        '{"a":[1]}',
        {"a": [1]},
    )
    assert served.paths == ["/x?state=0&state=1"]


async def test_parameters_join_those_that_stand_in_the_url() -> None:
    async with asking(bytes_of(http(200))) as (web, served):
        await web.get(f"{served.url}/x?limit=1", of="pd1", params={"key": "ä b"})

    assert served.paths == ["/x?limit=1&key=%C3%A4+b"]


async def test_only_get_leaves_the_client_and_it_says_who_it_is() -> None:
    async with asking(bytes_of(http(200))) as (web, served):
        await web.get(f"{served.url}/x", of="pd1", headers={"PD-Allow-follower-handle": "true"})

    assert served.heads[0].startswith("GET /x HTTP/1.1\r\n")
    assert "user-agent: opsai\r\n" in served.heads[0].lower()
    assert "pd-allow-follower-handle: true\r\n" in served.heads[0].lower()


@pytest.mark.parametrize(
    "path", ["/pd/api/v1/store/1/weight", "/pd/api/v1/stores/", "/pd/%2e%2e/admin", "/pd/a/../../admin", "/"]
)
async def test_a_path_that_is_not_allowed_is_refused_before_anything_is_sent(path: str) -> None:
    async with loopback(bytes_of(http(200))) as served, open_web(Access(), LIMITS, allow=("/pd/api/v1/stores",)) as web:
        with pytest.raises(OpsaiError, match=r"is not one that may be read\. Nothing was sent\.") as refused:
            await web.get(served.url + path, of="pd1")

    assert not isinstance(refused.value, SourceError)
    assert served.heads == []


@pytest.mark.parametrize(
    "url", ["", "pd1:2379/x", "/x", "ftp://pd1/x", "http:///x", "http://[::1/x", "http://a:99999/x"]
)
async def test_what_is_no_http_url_is_refused_before_anything_is_sent(url: str) -> None:
    async with open_web(Access(), LIMITS, allow=ANY) as web:
        with pytest.raises(OpsaiError, match="URL"):
            await web.get(url, of="pd1")


async def test_a_refused_connection_is_unreachable() -> None:
    async with loopback(never) as served:
        url = served.url
    async with open_web(Access(), LIMITS, allow=ANY) as web:
        with pytest.raises(SourceUnreachable) as failed:
            await web.get(f"{url}/x", of="pd1")

    assert str(failed.value).startswith("Asked pd1 for /x: no connection (")
    assert failed.value.advice == "check that it runs and that the address is the one reachable from here"


async def test_a_question_too_long_for_a_url_is_named_as_that_and_not_sent() -> None:
    async with open_web(Access(), LIMITS, allow=ANY) as web:
        with pytest.raises(OpsaiError) as failed:
            await web.get("http://eve:hunter2@127.0.0.1:9/x", of="prometheus", params={"query": "up or " * 20_000})

    assert str(failed.value) == (
        "What 'http://127.0.0.1:9/x' should be asked has 200,000 characters once escaped, and a URL carries 60,000. "
        "Nothing was sent. Try: a shorter question."
    )


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 70 + ".invalid", "ä" * 70])
async def test_an_unknown_host_is_unreachable_or_no_url(host: str) -> None:
    async with open_web(Access(), LIMITS, allow=ANY) as web:
        with pytest.raises(OpsaiError, match=r"no connection|is not a URL"):
            await web.get(f"http://{host}:1/x", of="pd1")


async def test_an_endpoint_that_accepts_and_says_nothing_times_out() -> None:
    async with asking(never) as (web, served):
        with pytest.raises(SourceTimedOut) as failed:
            await web.get(f"{served.url}/x", of="pd1", read_seconds=0.05)

    assert str(failed.value) == (
        "Asked pd1 for /x: no whole answer within 0.05 s. Try: see whether it hangs or is overloaded"
    )


async def test_an_answer_that_never_ends_times_out_although_something_always_comes() -> None:
    async def endless(stream: ByteStream) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await stream.send(b"1\r\nx\r\n")

    limits = WebLimits(connect_seconds=0.1, read_seconds=0.1, max_body_bytes=10**9)
    async with asking(endless, limits=limits) as (web, served):
        with anyio.fail_after(5), pytest.raises(SourceTimedOut, match="no whole answer within"):
            await web.get(f"{served.url}/x", of="pd1")


@pytest.mark.parametrize(
    "sent",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b"SSH-2.0-OpenSSH\r\n\r\n"],
)
async def test_an_answer_that_breaks_off_is_a_broken_connection(sent: bytes) -> None:
    async with asking(bytes_of(sent)) as (web, served):
        with pytest.raises(
            SourceDisconnected, match="Asked pd1 for /x: the connection broke before the answer was whole"
        ):
            await web.get(f"{served.url}/x", of="pd1")


async def test_a_503_keeps_the_text_that_says_why() -> None:
    body = b"[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n"
    async with asking(bytes_of(http(503, body))) as (web, served):
        with pytest.raises(SourceRefused) as failed:
            await web.get(f"{served.url}/x", of="pd1", asked="the members")

    assert failed.value.status == 503
    assert str(failed.value) == (
        "Asked pd1 for the members: HTTP 503: “[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader”. "
        "Try: ask again in a moment"
    )


async def test_a_status_that_is_accepted_is_an_answer() -> None:
    async with asking(bytes_of(http(500, b"not ready"))) as (web, served):
        reply = await web.get(f"{served.url}/ready", of="status:store:4", accept=(500,))

    assert (reply.status, reply.text) == (500, "not ready")


async def test_a_redirect_is_not_followed_and_the_reader_is_told_where_it_points() -> None:
    moved = http(307, b"", location="http://admin:hunter2@10.0.0.9:2379/x")
    async with asking(bytes_of(moved)) as (web, served):
        with pytest.raises(SourceRefused) as failed:
            await web.get(f"{served.url}/x", of="pd1")

    assert len(served.heads) == 1
    assert str(failed.value) == (
        "Asked pd1 for /x: HTTP 307: a redirect to http://10.0.0.9:2379/x. "
        "Try: set the address it points to; redirects are not followed"
    )


async def test_a_body_over_the_cap_is_refused_and_not_read_to_its_end() -> None:
    sent = 0

    async def huge(stream: ByteStream) -> None:
        nonlocal sent
        await stream.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            await stream.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            sent += 10_000

    async with asking(huge) as (web, served):
        with pytest.raises(SourceTooLarge) as failed:
            await web.get(f"{served.url}/x", of="pd1")

    assert sent < 50_000_000
    assert str(failed.value) == (
        "Asked pd1 for /x: an answer of more than 1,000 bytes, not read to its end. "
        "Try: ask for less, or raise max_body_bytes under [web]"
    )


async def test_a_body_of_just_the_cap_is_whole() -> None:
    async with asking(bytes_of(http(200, b"x" * 1000))) as (web, served):
        assert len((await web.get(f"{served.url}/x", of="pd1")).body) == 1000


async def test_gzip_is_unpacked() -> None:
    packed = gzip.compress(b"a" * 900, mtime=0)
    async with asking(bytes_of(http(200, packed, content_encoding="gzip"))) as (web, served):
        assert (await web.get(f"{served.url}/x", of="pd1")).body == b"a" * 900

    assert "accept-encoding: gzip\r\n" in served.heads[0].lower()


async def test_a_small_gzip_that_unpacks_to_more_than_the_cap_is_too_large() -> None:
    packed = gzip.compress(b"\0" * 50_000_000, mtime=0)
    async with asking(bytes_of(http(200, packed, content_encoding="gzip"))) as (web, served):
        with pytest.raises(SourceTooLarge, match="more than 1,000 bytes"):
            await web.get(f"{served.url}/x", of="pd1")


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (gzip.compress(b"a" * 900, mtime=0)[:-12], "gzip", "a gzip answer that ends too early"),
        (b"plain", "gzip", "an answer that says gzip and is not"),
        (b"plain", "br", "an answer encoded as 'br', which was not asked for"),
    ],
)
async def test_an_encoding_that_cannot_be_undone_is_malformed(body: bytes, encoding: str, says: str) -> None:
    async with asking(bytes_of(http(200, body, content_encoding=encoding))) as (web, served):
        with pytest.raises(SourceMalformed, match=re.escape(f"Asked pd1 for /x: {says}")):
            await web.get(f"{served.url}/x", of="pd1")


async def test_html_where_json_should_be_is_told_as_such_with_its_beginning() -> None:
    page = b"<!DOCTYPE html>\n<title>Sign\x1b[31m in</title>" + b"x" * 900
    async with asking(bytes_of(http(200, page))) as (web, served):
        reply = await web.get(f"{served.url}/x", of="pd1")
    with pytest.raises(SourceMalformed) as failed:
        reply.json()

    assert "HTTP 200, HTML where JSON should be: “<!DOCTYPE html> <title>Sign�[31m in</title>x" in str(failed.value)
    assert str(failed.value).endswith("Try: check the address: a proxy or a login page answers there")
    assert len(str(failed.value)) < 700


def reply(body: bytes) -> WebReply:
    return WebReply(200, body, "application/json", 0.0, asked="/x", of="pd1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"stores": [{"id": 1', "what is not JSON (Expecting ',' delimiter at character 20 of 20): “{"),
        (b"", "HTTP 200 with an empty body where JSON should be"),
        (b" \n", "HTTP 200 with an empty body where JSON should be"),
        (b"[" * 100_000, "what is not JSON (it is nested too deeply)"),
        (b"1" * 5000, "what is not JSON (Exceeds the limit"),
    ],
)
def test_what_is_not_whole_json_is_malformed(body: bytes, says: str) -> None:
    with pytest.raises(SourceMalformed, match=re.escape(says)):
        reply(body).json()


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'"\xff"', "�"), (b'"\\ud800"', "?"), (b"null", None), (b"18446744073709551615", 2**64 - 1)],
)
def test_what_go_writes_and_strict_parsers_refuse_is_read(body: bytes, value: object) -> None:
    assert reply(body).json() == value


@given(st.binary(max_size=300))
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    with suppress(SourceMalformed):
        json.dumps(reply(body).json())


@pytest.mark.parametrize(
    ("access", "header"),
    [
        (Access(username="eve", password=SecretStr("hunter2")), "authorization: basic zxzlomh1bnrlcji="),
        (Access(bearer_token=SecretStr("t0ken-value")), "authorization: bearer t0ken-value"),
        (Access(headers={"X-Scope-OrgID": SecretStr("tenant-7")}), "x-scope-orgid: tenant-7"),
    ],
)
async def test_credentials_are_sent_and_masked_where_a_server_echoes_them(access: Access, header: str) -> None:
    async def echo(stream: ByteStream) -> None:
        await stream.send(http(401, served.heads[-1].encode()))

    async with loopback(echo) as served, open_web(access, LIMITS, allow=ANY) as web:
        with pytest.raises(SourceRefused) as failed:
            await web.get(f"{served.url}/x", of="prometheus")

    assert header in served.heads[0].lower()
    for secret in ("hunter2", "ZXZlOmh1bnRlcjI=", "t0ken-value", "tenant-7"):
        assert secret not in f"{failed.value}{failed.value!r}{failed.value.body}"
    assert failed.value.advice.startswith("set the credentials of this endpoint")


async def test_a_token_file_is_read_anew_for_each_request(tmp_path: Path) -> None:
    file = anyio.Path(tmp_path) / "token"
    access = Access.model_validate({"bearer_token_file": str(file)})
    async with asking(bytes_of(http(200)), access) as (web, served):
        for token in ("first", "second"):
            await file.write_text(token + "\n", encoding="utf-8")
            await web.get(f"{served.url}/x", of="pd1")
        await file.unlink()
        with pytest.raises(SettingsInvalid, match=r"bearer_token_file '.*token' cannot be read"):
            await web.get(f"{served.url}/x", of="pd1")

    assert [re.search("Bearer (.*)\r\n", head)[1] for head in served.heads] == ["first", "second"]  # type: ignore[index]


async def test_a_header_that_cannot_be_sent_is_refused_when_the_client_is_opened() -> None:
    access = Access(headers={"X-Tenant": SecretStr("a\r\nX-Evil: 1")})
    with pytest.raises(
        SettingsInvalid, match="The value of the header 'x-tenant' has characters that a header cannot carry"
    ):
        async with open_web(access, LIMITS, allow=ANY):
            pass


async def test_a_password_in_a_url_is_used_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    async def echo(stream: ByteStream) -> None:
        await stream.send(http(500, served.heads[-1].encode()))

    caplog.set_level("DEBUG")
    async with loopback(echo) as served, open_web(Access(), LIMITS, allow=ANY) as web:
        url = served.url.replace("http://", "http://eve:hunter2@")
        with pytest.raises(SourceRefused) as failed:
            await web.get(f"{url}/x", of=f"{url} (pd1)")

    assert "authorization: Basic ZXZlOmh1bnRlcjI=" in served.heads[0]
    assert "hunter2" not in str(failed.value) + caplog.text
    assert "ZXZlOmh1bnRlcjI=" not in str(failed.value)
    assert served.url in str(failed.value)


@pytest.mark.parametrize(
    "text", ["http://a:b@c/d", "http://a:b@c@d/e", "see https://u@h and http://x:y@z:1/?q=a@b", "no url a@b"]
)
def test_user_and_password_are_taken_out_of_every_url(text: str) -> None:
    shown = without_userinfo(text)

    assert re.search(r"://[^/\s]*@", shown) is None
    assert shown.endswith(text[-3:])


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback(bytes_of(http(200, b"direct"))) as served:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        async with open_web(Access(), LIMITS, allow=ANY) as web:
            assert (await web.get(f"{served.url}/x", of="pd1")).text == "direct"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (httpx.ConnectTimeout(""), SourceTimedOut),
        (httpx.ReadTimeout(""), SourceTimedOut),
        (httpx.PoolTimeout(""), SourceTimedOut),
        (httpx.ConnectError("[Errno 113] No route to host"), SourceUnreachable),
        (httpx.ReadError(""), SourceDisconnected),
        (httpx.WriteError(""), SourceDisconnected),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), SourceDisconnected),
        (httpx.CloseError(""), SourceDisconnected),
    ],
)
async def test_every_failure_of_the_transport_has_its_class(failure: Exception, expected: type[SourceError]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    async with open_web(Access(), LIMITS, allow=ANY, transport=httpx.MockTransport(fail)) as web:
        with pytest.raises(expected, match="Asked pd1 for the stores: ") as failed:
            await web.get("http://pd1:2379/x", of="pd1", asked="the stores")

    assert failed.value.advice
