"""What Claude's service may answer instead, and what a person then reads."""

from contextlib import closing

import pytest

from opsai_agent.backend import Assignment, News
from opsai_agent.claude import open_claude
from opsai_agent.errors import ModelUnavailable
from tests.agent.conversations import KEY, LOOK, MODEL, TOOLS, claude
from tests.agent.stub import Stub, listening, url_of

pytestmark = pytest.mark.anyio


async def test_an_unknown_effort_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(
        ModelUnavailable, match=r"There is no effort 'huge'\. Known: low, medium, high, xhigh, max, none"
    ):
        async with claude(Stub([LOOK]), effort="huge"):
            pass


async def test_a_full_rate_limit_is_waited_for() -> None:
    limited = {
        "error": {"status": 429, "type": "rate_limit_error", "message": "slow down", "headers": {"retry-after": "0"}}
    }
    stub = Stub([limited, LOOK])
    async with claude(stub) as backend:
        turn = await backend.turn(News())

    assert turn.stop == "calls"
    assert len(stub.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind", "requests", "says"),
    [
        (
            400,
            "invalid_request_error",
            1,
            "HTTP 400: it says no (request req_stub). The request does not suit the model: --effort none",
        ),
        (
            401,
            "authentication_error",
            1,
            "HTTP 401: it says no (request req_stub). The key in ANTHROPIC_API_KEY is not accepted. Check it, or use --backend rules",
        ),
        (
            403,
            "permission_error",
            1,
            "HTTP 403: it says no (request req_stub). The key in ANTHROPIC_API_KEY may not use claude-opus-5-5.",
        ),
        (
            404,
            "not_found_error",
            1,
            "HTTP 404: it says no (request req_stub). There is no model 'claude-opus-5-5' there. Check --model",
        ),
        (413, "request_too_large", 1, "HTTP 413: it says no (request req_stub). The conversation is too large."),
        (429, "rate_limit_error", 3, "HTTP 429: it says no (request req_stub). The rate limit holds, after 2 retries."),
        (500, "api_error", 3, "HTTP 500: it says no (request req_stub). The service fails, after 2 retries."),
        (
            529,
            "overloaded_error",
            3,
            "HTTP 529: it says no (request req_stub). The service is overloaded, after 2 retries.",
        ),
    ],
)
async def test_each_refusal_of_the_service_is_one_clear_sentence(
    status: int, kind: str, requests: int, says: str
) -> None:
    stub = Stub([{"error": {"status": status, "type": kind, "message": "it says no"}}])
    async with claude(stub) as backend:
        with pytest.raises(ModelUnavailable) as raised:
            await backend.turn(News())

    text = str(raised.value)
    assert text.startswith(f"Asked the Claude API at 127.0.0.1 for an answer of {MODEL}: {says}")
    assert "\n" not in text
    assert len(stub.requests) == requests


async def test_a_key_in_the_services_words_is_not_repeated() -> None:
    stub = Stub([{"error": {"status": 401, "type": "authentication_error", "message": f"bad key {KEY}"}}])
    async with claude(stub) as backend:
        with pytest.raises(ModelUnavailable) as raised:
            await backend.turn(News())

    assert KEY not in str(raised.value)
    assert "bad key [redacted]" in str(raised.value)


async def test_a_stream_that_breaks_in_the_middle_is_asked_for_once_more() -> None:
    stub = Stub([{"text": "I was about to", "breaks": True}, LOOK])
    async with claude(stub) as backend:
        turn = await backend.turn(News())

    assert turn.stop == "calls"
    assert len(stub.requests) == 2
    assert stub.requests[0]["messages"] == stub.requests[1]["messages"]


async def test_a_stream_that_breaks_again_is_an_error() -> None:
    stub = Stub([{"text": "I was about to", "breaks": True}])
    async with claude(stub) as backend:
        with pytest.raises(
            ModelUnavailable, match=r"the connection broke in its middle, 2 times \(.+\)\. Try again later"
        ):
            await backend.turn(News())


async def test_an_overload_told_in_the_stream_is_said_as_such() -> None:
    stub = Stub([{"text": "I", "error_in_stream": {"type": "overloaded_error", "message": "Overloaded"}}])
    async with claude(stub) as backend:
        with pytest.raises(ModelUnavailable, match=r"Overloaded.*The service is overloaded"):
            await backend.turn(News())


async def test_nobody_at_the_address_is_said_with_what_to_check() -> None:
    listener = listening()
    url = url_of(listener)
    listener.close()
    environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url}
    async with open_claude(MODEL, "low", None, environment, max_retries=0) as backend:
        backend.begin(Assignment(None, TOOLS, ""))
        with pytest.raises(
            ModelUnavailable, match=r"no connection \(.*\), after 0 retries\. Check the network and ANTHROPIC_BASE_URL"
        ):
            await backend.turn(News())


async def test_a_service_that_does_not_answer_in_time_is_said() -> None:
    silent = listening()
    silent.listen()
    environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url_of(silent)}
    with closing(silent):
        async with open_claude(MODEL, "low", None, environment, max_retries=0, read_seconds=0.2) as backend:
            backend.begin(Assignment(None, TOOLS, ""))
            with pytest.raises(ModelUnavailable, match=r"no answer within 0\.2 s, after 0 retries"):
                await backend.turn(News())


async def test_without_a_key_nothing_is_opened() -> None:
    with pytest.raises(ModelUnavailable, match=r"ANTHROPIC_API_KEY is not set\. Set it, or use --backend rules"):
        async with open_claude(MODEL, "low", None, {}):
            pass
