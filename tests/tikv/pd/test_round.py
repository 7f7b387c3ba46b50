"""Whom PD's client asks, how often, and what a reader is told when members are gone."""

import pytest

from opsai_subjects.errors import SourceError, SourceMalformed, SourceRefused, SourceTimedOut, SourceUnreachable
from tests.tikv.pd.fake import ADDRESSES, URLS, FakePd, broken, client, late, member, members, refused

pytestmark = pytest.mark.anyio
COUNT = "/pd/api/v1/regions/count"
NO_LEADER = (503, "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n")


async def test_what_needs_the_leader_goes_to_the_member_that_says_it_leads() -> None:
    fake = FakePd(leader="pd-b", answers={COUNT: {"count": 87, "regions": None}})
    async with client(fake) as pd:
        assert await pd.region_count() == 87
        assert await pd.leader() == "pd-b"

    assert fake.of("regions/count") == ["pd-b"]


async def test_a_dead_member_costs_one_question_in_a_round_and_one_more_in_the_next() -> None:
    fake = FakePd(silent={"pd-c": refused}, answers={COUNT: {"count": 1}})
    async with client(fake) as pd:
        for _ in range(3):
            await pd.region_count()
            with pytest.raises(SourceUnreachable):
                await pd.status("pd-c")
            with pytest.raises(SourceUnreachable):
                await pd.etcd_health("pd-c")
        assert [name for name, _, _ in fake.asked].count("pd-c") == 1

        await pd.again().region_count()
        assert [name for name, _, _ in fake.asked].count("pd-c") == 2


async def test_a_spared_question_names_what_was_asked_now() -> None:
    async with client(FakePd(silent={"pd-c": late})) as pd:
        with pytest.raises(SourceTimedOut, match=r"PD pd-c for /health: no whole answer") as raised:
            await pd.etcd_health("pd-c")

    assert raised.value.asked == "/health"


@pytest.mark.parametrize(("failure", "outcome"), [(refused, "refused"), (late, "timed_out"), (broken, "disconnected")])
async def test_how_a_member_met_us_is_told_apart(failure: object, outcome: str) -> None:
    fake = FakePd(silent={"pd-b": failure})  # type: ignore[dict-item]  # one of the failures of the fake
    async with client(fake) as pd:
        found = {view.name: view.outcome for view in await pd.views()}

    assert found == {"pd-a": "answered", "pd-b": outcome, "pd-c": "answered"}


async def test_members_that_are_not_configured_are_found_through_the_others() -> None:
    fake = FakePd(leader="pd-c", answers={COUNT: {"count": 5}})
    async with client(fake, urls=URLS[:1]) as pd:
        assert [view.name for view in await pd.views()] == ["pd-a", "pd-b", "pd-c"]
        assert await pd.region_count() == 5

    assert fake.of("regions/count") == ["pd-c"]


async def test_members_found_once_are_asked_when_the_configured_one_is_gone() -> None:
    fake = FakePd(leader="pd-b", answers={COUNT: {"count": 5}})
    async with client(fake, urls=URLS[:1]) as pd:
        await pd.views()
        fake.silent = {"pd-a": refused}
        assert await pd.again().region_count() == 5


async def test_advertised_addresses_are_dialled_where_they_are_reachable() -> None:
    doors = {f"127.0.0.1:{port}": name for port, name in zip((4001, 4002, 4003), ADDRESSES, strict=True)}
    reach = {address: f"127.0.0.1:{port}" for port, address in zip((4001, 4002, 4003), ADDRESSES.values(), strict=True)}
    fake = FakePd(leader="pd-c", answers={COUNT: {"count": 9}}, doors=doors)
    async with client(fake, reach=reach) as pd:
        assert await pd.region_count() == 9

    assert fake.of("regions/count") == ["pd-c"]


async def test_a_member_reached_through_a_tunnel_goes_by_its_own_name_and_stands_there_once() -> None:
    fake = FakePd(answers={COUNT: {"count": 3}}, doors={"127.0.0.1:9999": "pd-a"})
    async with client(fake, urls=("http://127.0.0.1:9999",)) as pd:
        views = await pd.views()
        assert {view.name: view.outcome for view in views} == {
            "pd-a": "answered",
            "pd-b": "refused",
            "pd-c": "refused",
        }
        assert await pd.region_count() == 3


async def test_something_else_at_an_advertised_address_never_stands_for_the_member_reached_otherwise() -> None:
    doors = {"127.0.0.1:9999": "pd-a"} | dict.fromkeys(ADDRESSES.values(), "stranger")
    fake = FakePd(answers={COUNT: {"count": 3}}, doors=doors)
    async with client(fake, urls=("http://127.0.0.1:9999",)) as pd:
        for later in (pd, pd.again(), pd.again()):
            assert [view.name for view in await later.views() if view.members is not None] == ["pd-a"]
            assert await later.leader() == "pd-a"
            assert await later.region_count() == 3


async def test_without_a_leader_every_member_is_asked_once_and_the_rest_of_the_round_is_spared() -> None:
    fake = FakePd(leader=None, answers={COUNT: NO_LEADER, "/pd/api/v1/stores": NO_LEADER})
    async with client(fake) as pd:
        with pytest.raises(SourceRefused, match="redirect finds no leader"):
            await pd.region_count()
        with pytest.raises(SourceRefused, match=r"stores.*redirect finds no leader.*a majority must run"):
            await pd.stores()

    assert fake.count("regions/count") == 3
    assert fake.count("stores") == 0


async def test_a_leader_that_died_a_moment_ago_is_not_the_only_one_asked() -> None:
    """Followers still name it; one of them may already know better."""
    fake = FakePd(
        leader="pd-a",
        silent={"pd-a": refused},
        only={
            ("pd-b", COUNT): (500, "[PD:apiutil:ErrRedirect]redirect failed\n"),
            ("pd-c", COUNT): {"count": 4},
        },
    )
    async with client(fake) as pd:
        assert await pd.leader() is None
        assert await pd.region_count() == 4


async def test_a_follower_that_waits_for_a_hung_leader_is_not_taken_for_silent() -> None:
    fake = FakePd(leader="pd-a", silent={"pd-a": late}, answers={COUNT: late})
    async with client(fake) as pd:
        with pytest.raises(SourceTimedOut):
            await pd.region_count()
        assert (await pd.status("pd-b")).version == "v8.5.4"


async def test_a_leader_that_is_late_with_one_heavy_answer_is_still_asked() -> None:
    fake = FakePd(answers={"/pd/api/v1/operators": late, COUNT: {"count": 2}})
    async with client(fake) as pd:
        with pytest.raises(SourceTimedOut):
            await pd.operators()
        assert await pd.region_count() == 2


async def test_a_member_that_cannot_list_the_members_is_alive_and_tells_whom_it_follows() -> None:
    """Without etcd's quorum listing the members hangs, while the rest is answered at once."""
    fake = FakePd(
        silent={"pd-a": refused, "pd-b": refused},
        only={("pd-c", "/pd/api/v1/members"): late, ("pd-c", "/pd/api/v1/leader"): member("pd-a")},
    )
    async with client(fake) as pd:
        found = {view.url: view for view in await pd.views()}
        assert await pd.leader() is None

    view = found["http://10.1.0.3:2379"]
    assert (view.outcome, view.members, view.sees_leader) == ("answered", None, "pd-a")
    assert "no whole answer" in view.why
    assert found["http://10.1.0.1:2379"].name == "pd-a"


async def test_a_member_that_sees_no_leader_says_so() -> None:
    fake = FakePd(only={("pd-c", "/pd/api/v1/members"): late, ("pd-c", "/pd/api/v1/leader"): None})
    async with client(fake) as pd:
        seen = {view.name: view.sees_leader for view in await pd.views()}

    assert seen == {"pd-a": "pd-a", "pd-b": "pd-a", "pd-c": ""}


async def test_a_member_that_refuses_to_tell_its_status_lives_and_is_asked() -> None:
    fake = FakePd(answers={"/pd/api/v1/status": (429, "Too Many Requests\n"), COUNT: {"count": 8}})
    async with client(fake) as pd:
        assert {view.outcome for view in await pd.views()} == {"answered"}
        assert await pd.region_count() == 8


async def test_of_two_that_say_they_lead_the_one_that_more_members_follow_is_asked() -> None:
    fake = FakePd(
        leader="pd-b",
        only={("pd-a", "/pd/api/v1/members"): members("pd-a")},
        answers={COUNT: {"count": 6}},
    )
    async with client(fake) as pd:
        assert await pd.leader() == "pd-b"
        assert (await pd.members()).leader == "pd-b"
        assert (await pd.members_of("pd-a")).leader == "pd-a"
        await pd.region_count()

    assert fake.of("regions/count") == ["pd-b"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            '"[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first"\n',
            "not bootstrapped",
        ),
        ("[PD:apiutil:ErrRedirect]redirect failed\n", r"redirect failed.*does not answer it"),
        ('{"code":"input","msg":"strconv.ParseUint: invalid syntax","data":{}}', r"HTTP 500: “strconv\.ParseUint"),
        ('"Get \\"http://10.1.0.1:2379/x\\": dial tcp: connection refused"', 'Get "http://10.1.0.1:2379/x"'),
    ],
)
async def test_the_words_of_an_error_are_taken_out_of_whatever_pd_wraps_them_in(body: str, words: str) -> None:
    async with client(FakePd(answers={COUNT: (500, body)})) as pd:
        with pytest.raises(SourceRefused, match=words):
            await pd.region_count()


async def test_no_address_of_pd_says_what_to_set() -> None:
    async with client(FakePd(), urls=()) as pd:
        assert await pd.views() == ()
        with pytest.raises(SourceError, match="set `pd` to the URLs"):
            await pd.stores()


async def test_asking_an_unknown_member_lists_the_known_ones() -> None:
    async with client(FakePd()) as pd:
        with pytest.raises(SourceError, match=r"no member of that name is known.*pd-a, pd-b, pd-c"):
            await pd.config_of("pd-x")


@pytest.mark.parametrize("body", ['{"header": {"cluster_id', "<html><body>Login</body></html>", "[]", '{"members": 7}'])
async def test_a_member_that_answers_nonsense_is_alive_and_its_nonsense_is_shown(body: str) -> None:
    fake = FakePd(answers={"/pd/api/v1/members": (200, body)})
    async with client(fake) as pd:
        (view,) = [view for view in await pd.views() if view.url == URLS[0]]
        assert view.outcome == "answered"
        assert view.members is None
        with pytest.raises(SourceMalformed):
            await pd.members_of("http://10.1.0.1:2379")
