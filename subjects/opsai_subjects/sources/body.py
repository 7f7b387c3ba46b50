"""The body of an answer, unpacked as it comes and never beyond what was allowed."""

import zlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx

from opsai_subjects.errors import BODY_EXCERPT_CHARS, SourceMalformed, SourceTooLarge
from opsai_subjects.model import clean

EXCERPT_BYTES = 64 * 1024
"""Of a refusal's body, so much is looked at."""


@dataclass(frozen=True)
class Question:
    """What was asked of whom, within which time: for the messages about it."""

    asked: str
    of: str
    """Who was asked."""
    connect_seconds: float
    read_seconds: float
    tls: bool
    began: float

    @property
    def other_cause(self) -> str:
        """What else may have broken the connection."""
        return "asks for a certificate (cert_file and key_file)" if self.tls else "speaks https:// only"


async def whole(response: httpx.Response, cap: int, question: Question) -> bytes:
    """Return the whole body. Raises SourceTooLarge above `cap` bytes, and as `parts`."""
    kept: list[bytes] = []
    size = 0
    async for part in parts(response, cap, question):
        size += len(part)
        if size > cap:
            raise SourceTooLarge(
                question.asked,
                question.of,
                f"an answer of more than {cap:,} bytes, not read to its end",
                "ask for less, or raise max_body_bytes under [web]",
            )
        kept.append(part)
    return b"".join(kept)


async def excerpt(body: AsyncGenerator[bytes]) -> str:
    """Return the beginning of a body as text fit for a message. Raises as `parts`."""
    kept: list[bytes] = []
    size = 0
    async for part in body:
        kept.append(part)
        size += len(part)
        if size >= EXCERPT_BYTES:
            break
    return clean(b"".join(kept)[:EXCERPT_BYTES].decode("utf-8", errors="replace")[:BODY_EXCERPT_CHARS])


async def parts(response: httpx.Response, cap: int, question: Question) -> AsyncGenerator[bytes]:
    """Yield the body part by part, unpacked. Raises SourceMalformed where it is not what its header says."""
    # httpx would inflate a whole chunk at once, 1,000 times its size if somebody means harm; this stops at the cap.
    if response.is_stream_consumed:  # a transport that answers by itself hands over the body whole
        yield response.content
        return
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for raw in response.aiter_raw():
            yield raw
        return
    if encoding not in ("gzip", "x-gzip"):
        raise SourceMalformed(
            question.asked, question.of, f"an answer encoded as {encoding!r}, which was not asked for"
        )
    inflater = zlib.decompressobj(wbits=31)
    try:
        async for raw in response.aiter_raw():
            rest = raw
            while rest and not inflater.eof:
                yield inflater.decompress(rest, min(cap + 1, 1024 * 1024))
                rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise SourceMalformed(question.asked, question.of, f"an answer that says gzip and is not ({error})") from error
    if not inflater.eof:
        raise SourceMalformed(question.asked, question.of, "a gzip answer that ends too early", "ask again")
