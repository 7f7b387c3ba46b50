"""When the right cause first stands in what is read, and what was read until then."""

from datetime import UTC, datetime

from pydantic import JsonValue

from opsai_lab.evaluation.aliases import Aliases
from opsai_lab.evaluation.cost import Cost, Replied, cost, next_read
from opsai_lab.truth import TrueCause, Truth

END = datetime(2026, 1, 1, tzinfo=UTC)
ALIASES = Aliases({"store:7": "kv-a", "store:8": "kv-b", "kv-a": "kv-a", "kv-b": "kv-b"})
FAULT = Truth(
    healthy=False, verdict="fault", causes=(TrueCause(kind="tikv_hang", entities=("kv-a",)),), incident_end=END
)
CALM = Truth(healthy=True, verdict="healthy", causes=(), incident_end=END)


def reply(*causes: tuple[str, str], chars: int = 100) -> Replied:
    listed: list[JsonValue] = [{"kind": kind, "entity": entity} for kind, entity in causes]
    return Replied({"causes": listed}, chars)


def test_it_counts_what_was_read_up_to_the_reply_that_names_kind_and_entity() -> None:
    replies = (reply(), reply(("tikv_hang/frozen", "store:7"), chars=250), reply(chars=9_999))

    assert cost(FAULT, replies, ALIASES) == Cost(calls=2, chars=350)


def test_a_cause_more_or_on_another_entity_is_not_right() -> None:
    wrong = (
        reply(("tikv_hang", "store:8")),
        reply(("tikv_down", "store:7")),
        reply(("tikv_hang", "store:7"), ("tikv_cpu", "store:8")),
    )

    assert cost(FAULT, wrong, ALIASES) is None


def test_a_healthy_cluster_is_right_when_no_cause_is_named() -> None:
    assert cost(CALM, (reply(("tikv_cpu", "store:7")), reply()), ALIASES) == Cost(calls=2, chars=200)


def test_the_next_read_is_what_a_reply_names_and_nothing_when_it_names_none() -> None:
    assert next_read({"next_read": "query_metrics name=fsync_p99"}) == "query_metrics name=fsync_p99"
    assert next_read({"next_read": ""}) is None
    assert next_read({"causes": []}) is None
