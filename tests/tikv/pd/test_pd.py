"""Each question to PD: what it returns, what is no failure, and what a reader is told when it is one."""

import re
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from opsai_subjects.errors import OpsaiError, SourceMalformed, SourceRefused, SourceTooLarge
from opsai_tikv.paths import PATHS
from opsai_tikv.pd.client import CHECKERS, V1, Pd
from tests.tikv.pd.fake import FakePd, client, opened

pytestmark = pytest.mark.anyio

QUESTIONS = {
    "health": Pd.health,
    "cluster_version": Pd.cluster_version,
    "stores": Pd.stores,
    "store_flows": Pd.store_flows,
    "progress": Pd.progress,
    "schedulers": Pd.schedulers,
    "paused_schedulers": Pd.paused_schedulers,
    "disabled_schedulers": Pd.disabled_schedulers,
    "scheduler_config": lambda pd: pd.scheduler_config("evict-leader-scheduler"),
    "paused_checkers": Pd.paused_checkers,
    "operators": Pd.operators,
    "operator_records": Pd.operator_records,
    "config": Pd.config,
    "config_of": lambda pd: pd.config_of("pd-b"),
    "health_of": lambda pd: pd.health_of("pd-b"),
    "etcd_health": lambda pd: pd.etcd_health("pd-b"),
    "ping": lambda pd: pd.ping("pd-b"),
    "rules": Pd.rules,
    "region_count": Pd.region_count,
    "regions_check": lambda pd: pd.regions_check("down-peer", expected=3),
    "hot_regions": lambda pd: pd.hot_regions("write"),
    "gc_safe_point": Pd.gc_safe_point,
    "min_resolved_ts": Pd.min_resolved_ts,
}


class Anything(FakePd):
    """Answers every question but those of the discovery with one body."""

    body: JsonValue | tuple[int, str] = None

    def _usual(self, name: str, path: str, *, local: bool) -> JsonValue | tuple[int, str]:
        if path in (f"{V1}/status", f"{V1}/members"):
            return super()._usual(name, path, local=local)
        return self.body


@pytest.mark.parametrize("name", sorted(QUESTIONS))
async def test_every_question_is_one_that_may_be_asked(name: str) -> None:
    fake = Anything()
    fake.body = (418, "a teapot")
    async with client(fake) as pd:
        with suppress(SourceRefused):  # a path that may not be asked raises another error, before it is sent
            await QUESTIONS[name](pd)

    assert len(fake.asked) > len(fake.of("status")) + len(fake.of("members"))


wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(name=st.sampled_from(sorted(QUESTIONS)), body=wild)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_json_pd_answers_is_told_as_a_malformed_answer(name: str, body: JsonValue) -> None:
    fake = Anything()
    fake.body = body
    async with client(fake) as pd:
        with suppress(SourceMalformed):
            await QUESTIONS[name](pd)


async def test_a_malformed_answer_says_what_in_it_is_wrong_and_shows_it() -> None:
    async with client(FakePd(answers={f"{V1}/stores": {"stores": [{"store": {"id": 4, "address": 7}}]}})) as pd:
        with pytest.raises(SourceMalformed, match=r"stores\.0\.store\.address: .*valid string.*\"address\": 7"):
            await pd.stores()


async def test_html_from_a_proxy_is_called_that() -> None:
    async with client(FakePd(answers={f"{V1}/stores": (200, "<html>Sign in</html>")})) as pd:
        with pytest.raises(SourceMalformed, match="HTML where JSON should be"):
            await pd.stores()


async def test_no_finished_operators_are_none_though_pd_says_500() -> None:
    answer = (500, '"[PD:operator:ErrOperatorNotFound]operator not found"\n')
    async with client(FakePd(answers={f"{V1}/operators/records": answer})) as pd:
        assert await pd.operator_records() == ()


async def test_nothing_in_progress_is_none_though_pd_says_404() -> None:
    answer = (404, '"[PD:progress:ErrProgressNotFound]no progress found for the action: removing"\n')
    async with client(FakePd(answers={f"{V1}/stores/progress": answer})) as pd:
        assert await pd.progress() is None


async def test_placement_rules_that_are_off_are_none() -> None:
    answer = (412, '"[PD:placement:ErrPlacementDisabled]placement rules feature is disabled"\n')
    async with client(FakePd(answers={f"{V1}/config/rules": answer})) as pd:
        assert await pd.rules() is None


async def test_a_scheduler_that_is_not_there_has_no_settings() -> None:
    async with client(FakePd()) as pd:
        assert await pd.scheduler_config("evict-leader-scheduler") is None


async def test_an_evict_leader_scheduler_names_its_stores() -> None:
    answer: JsonValue = {"store-id-ranges": {"5": [{"end-key": "", "start-key": ""}]}, "batch": 4}
    async with client(FakePd(answers={f"{V1}/scheduler-config/evict-leader-scheduler/list": answer})) as pd:
        config = await pd.scheduler_config("evict-leader-scheduler")

    assert config is not None
    assert config.values["store-id-ranges.5.0.start-key"] == ""


async def test_a_checker_that_a_version_does_not_know_is_passed_over() -> None:
    answers: dict[str, JsonValue | tuple[int, str]] = {
        f"{V1}/checker/{name}": {"paused": name == "merge"} for name in CHECKERS
    }
    answers[f"{V1}/checker/joint-state"] = (404, "404 page not found\n")
    async with client(FakePd(answers={**answers})) as pd:
        assert await pd.paused_checkers() == ("merge",)


async def test_a_long_list_of_regions_is_not_asked_for() -> None:
    fake = FakePd()
    async with client(fake) as pd:
        with pytest.raises(SourceTooLarge, match=r"not asked: about 12,000 regions.*pd_regions_status"):
            await pd.regions_check("down-peer", expected=12_000)

    assert fake.count("regions/check/down-peer") == 0


async def test_an_unhealthy_etcd_answers_503_and_that_is_its_answer() -> None:
    answer = (503, '{"health":"false","reason":"RAFT NO LEADER"}\n')
    async with client(FakePd(only={("pd-b", "/health"): answer})) as pd:
        found = await pd.etcd_health("pd-b")

    assert (found.healthy, found.reason) == (False, "RAFT NO LEADER")


@pytest.mark.parametrize(
    "path",
    [
        "/pd/api/v1/regions",
        "/pd/api/v1/stats/region",
        "/pd/api/v1/regions/store/1",
        "/pd/api/v1/store/1/label",
        "/pd/api/v1/admin/reset-ts",
        "/pd/api/v1/admin/unsafe/remove-failed-stores",
        "/debug/pprof/profile",
        "/pd/api/v1/config/../admin",
        "/region/4/../../config/reload",
        "/metrics",
        "/pause_grpc",
    ],
)
async def test_what_costs_the_cluster_or_changes_it_is_never_sent(path: str) -> None:
    assert not any(re.fullmatch(pattern, path) for pattern in PATHS)
    fake = FakePd()
    async with opened(fake) as web:
        with pytest.raises(OpsaiError, match="Nothing was sent"):
            await web.get(f"http://10.1.0.1:2379{path}", of="pd")
    assert fake.asked == []
