"""The suite finds what is wrong with an adapter, and says it in a sentence."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from opsai_subjects.config import ClusterSettings
from opsai_subjects.conformance import seen, told
from opsai_subjects.conformance.blind import blind
from opsai_subjects.conformance.checks import NotConforming, checks
from opsai_subjects.conformance.lines import reads_any_line
from opsai_subjects.conformance.scene import Scene
from opsai_subjects.model import ParsedLine
from opsai_subjects.subject import Polled, ReadRpc, Signal, SubjectKind
from tests.server.toy import KIND, ToyKind, ToyWorld
from tests.server.toy_knowledge import PART_FAST, PART_UP

SIGNAL = KIND.signals[0]
DOWN = KIND.faults[0]


def _signal(promql: str) -> tuple[Signal, ...]:
    return (SIGNAL.model_copy(update={"promql": promql}),)


@pytest.mark.parametrize(
    ("kind", "find", "says"),
    [
        (KIND, told.is_found, "No entry point 'toy' in the group 'opsai.subjects'"),
        (replace(KIND, invariants=(PART_UP, PART_UP)), told.has_invariants, "There are two invariants 'part_up'"),
        (
            replace(KIND, invariants=(PART_FAST.model_copy(update={"unit": "", "why": " "}),)),
            told.has_invariants,
            "Invariant part_fast: it has a limit and no unit.",
        ),
        (
            replace(KIND, faults=(DOWN.model_copy(update={"must_show": ("lost",)}),)),
            told.has_faults,
            "Fault kind toy_down: it names the sign 'lost', which is not there.",
        ),
        (
            replace(KIND, faults=(DOWN.model_copy(update={"do": ""}),)),
            told.has_faults,
            "Fault kind toy_down: do is empty; a reader needs it.",
        ),
        (replace(KIND, signals=_signal("sum(up")), told.has_signals, "is no PromQL"),
        (
            replace(KIND, scraped=frozenset({"other"})),
            told.has_signals,
            "Signal part_latency: it reads 'toy_latency_seconds', which is not among scraped",
        ),
        (replace(KIND, paths=("/.*",)), told.asks_little, "paths: '/.*' also matches '/'"),
        (replace(KIND, paths=("/[",)), told.asks_little, "is no regular expression"),
        (
            replace(KIND, rpcs=(ReadRpc(path="/v3/kv/put"),)),
            told.asks_little,
            "rpcs: '/v3/kv/put' says by its name that it changes something.",
        ),
        (
            replace(KIND, polled={"part": (Polled(path="/config"),)}),
            told.is_recorded,
            "polled, part: '/config' is not among paths.",
        ),
        (KIND, told.is_recorded, "polled has nothing for the role 'part', which the endpoints have"),
        (KIND, told.gives_examples, "examples: the topic 'parts' is not there."),
        (replace(KIND, about="red \x1b[31m"), told.is_plain_text, "control or direction characters"),
    ],
)
def test_what_is_not_so_is_told(kind: SubjectKind, find: Callable[[SubjectKind], told.Complaints], says: str) -> None:
    assert any(says in one for one in find(kind)), list(find(kind))


class Raising(ToyKind):
    def parse_log(self, line: str) -> ParsedLine | None:
        raise ValueError(line[:5])


def test_a_line_that_raises_is_shown() -> None:
    assert any("parse_log raises ValueError" in one for one in reads_any_line(Raising(), ()))


def _scene(world: ToyWorld) -> Scene:
    return Scene(ClusterSettings(subject="toy"), httpx.AsyncHTTPTransport(), world)


@pytest.mark.anyio
async def test_health_that_silence_speaks_for_is_found() -> None:
    said = await blind(KIND, _scene(ToyWorld()), "unreachable")

    assert "With all sources unreachable: facts() does not say in unread what it could not read." in said
    assert "With all sources unreachable: part_up is held on part:a (part:a runs): nobody could know that." in said


@pytest.mark.anyio
async def test_what_raises_is_found() -> None:
    said = await blind(KIND, _scene(ToyWorld(broken=RuntimeError("no such lamp"))), "silent")

    assert "With all sources silent: facts() raises RuntimeError: no such lamp" in said


@pytest.mark.anyio
async def test_a_cluster_that_is_not_asked_anything_is_found() -> None:
    assert "It asked no node anything." in await seen.asks_what_is_listed(KIND, _scene(ToyWorld()))


@pytest.mark.anyio
async def test_a_check_says_what_must_be_and_each_thing_that_is_not() -> None:
    @asynccontextmanager
    async def scene() -> AsyncGenerator[Scene]:
        yield _scene(ToyWorld())

    found = {check.id: check for check in checks(KIND, scene)}
    with pytest.raises(
        NotConforming, match=r"(?s)silence is never health|nothing is held or safe.*It is not so:\n- With all"
    ):
        await found["blind.half"]()
    await found["told.has_faults"]()
