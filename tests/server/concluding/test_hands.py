"""Which words of a recommendation lay hands on a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_server.hands import named_in, risky_clauses

NAMES = ("store:4", "store:44", "pd-1")
PARTS = ("store",)


@pytest.mark.parametrize(
    "text",
    [
        "Restart store:4.",
        "restarting the process helps",
        "Move its leaders away, then stop store:4",
        "Do not wait: restart it",
        "Do not hesitate to restart it",
        "Kill the process with SIGKILL",
        "Remove store:4 from the cluster",
        "Delete the store",
        "Tombstone it",
        "Shut the node down",
        "Take store:4 out",
        "Scale in the cluster",
        "Decommission store:4",
        "Reboot the host",
        "Power the machine off",
        "The store should be restarted",
        "End the hung member",
        "Replace pd-1",
        "Rebuild the store from its peers",
        "Stop it.",
        "Check the log;\nstop pd-1 if it hangs",
    ],
)
def test_these_do(text: str) -> None:
    assert risky_clauses(text, NAMES, PARTS)


@pytest.mark.parametrize(
    "text",
    [
        "Start the process again and find out why it died.",
        "Do not restart, stop or remove anything.",
        "Don't kill store:4.",
        "Bring it back without restarting anything else",
        "Never delete the store's data",
        "The process was killed; start it again",
        "Find what stopped the process, and start it again",
        "Remove the scheduler evict-leader-1",
        "Remove the pause on the scheduler",
        "Stop the heavy scan job",
        "Kill the query that scans",
        "Delete old log files on store:4",
        "Remove the label of store:4",
        "Replace the disk of store:4",
        "Set leader-schedule-limit back to 4",
        "See who holds the safe point and end or advance it",
        "Look at the end of its log",
        "",
    ],
)
def test_these_do_not(text: str) -> None:
    assert risky_clauses(text, NAMES, PARTS) == ()


def test_a_word_for_a_part_counts_where_the_system_has_such_parts() -> None:
    assert risky_clauses("Stop the shard that the load test hits", ()) == ()
    assert risky_clauses("Stop the shards that the load test hits", (), ("shard",))
    assert risky_clauses("End the hung shard", ()) == ()
    assert risky_clauses("End the hung shard", (), ("shard",)) == (("End the hung shard", "End"),)


def test_a_name_is_found_whole() -> None:
    assert named_in("Restart store:44.", NAMES) == ("store:44",)
    assert named_in("Restart store:4's process, not pd-10", NAMES) == ("store:4",)


@given(st.text(max_size=300), st.lists(st.text(max_size=10), max_size=4))
def test_no_text_makes_it_raise(text: str, names: list[str]) -> None:
    risky_clauses(text, names)
    named_in(text, names)
