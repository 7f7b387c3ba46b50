"""The pages of what an operator knows: found, short, and speaking of metrics that there are."""

import re

from opsai_tikv.kind import KIND

PAGES = KIND.knowledge


def test_each_page_has_an_id_a_title_and_is_short_enough_to_be_read_at_once() -> None:
    assert 8 <= len(PAGES) <= 40
    assert len({page.id for page in PAGES}) == len(PAGES)
    for page in PAGES:
        assert re.fullmatch(r"[a-z-]+", page.id)
        assert page.title
        assert not page.title.startswith("#")
        assert 800 < len(page.text) < 6000


def test_the_pages_cover_what_an_on_call_engineer_asks() -> None:
    whole = " ".join(f"{page.title} {page.text}" for page in PAGES).lower()
    for word in (
        "quorum",
        "slow_score",
        "evict-leader",
        "safe point",
        "hot spot",
        "lease",
        "partition",
        "raft log",
        "changefeed",
        "read index",
    ):
        assert word in whole


def test_metrics_that_pages_name_in_code_are_named_metrics() -> None:
    known = {signal.name for signal in KIND.signals}
    words = {word for page in PAGES for word in re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", page.text)}
    labels = {"store_id", "tidb_cluster", "k8s_cluster", "kubernetes_namespace"}
    others = labels | {"leader_weight", "hot_degree", "slow_score", "start_ts"}

    assert words - known - others == set()
