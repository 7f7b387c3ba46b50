"""From an address to where it is dialled, and from a failure to what it says of the node."""

import socket

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SourceUnreachable
from opsai_subjects.sources.web import open_web
from opsai_tikv.gathering.status import StatusPort
from opsai_tikv.pd.reaching import outcome_of, reached, status_address
from opsai_tikv.pd.stores import read_stores

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("advertised", "dialled"),
    [
        ("http://10.0.0.1:2379", "http://127.0.0.1:4001"),
        ("https://10.0.0.1:2379/", "https://127.0.0.1:4001"),
        ("10.0.0.1:2379", "http://127.0.0.1:4001"),
        ("http://10.0.0.2:2379", "https://gate.example/pd2"),
        ("http://10.0.0.3:2379/", "http://10.0.0.3:2379"),
        ("10.0.0.3:20180", "http://10.0.0.3:20180"),
    ],
)
def test_an_advertised_address_is_dialled_where_it_is_reachable(advertised: str, dialled: str) -> None:
    reach = {"10.0.0.1:2379": "127.0.0.1:4001", "10.0.0.2:2379": "https://gate.example/pd2/"}
    assert reached(advertised, reach) == dialled


@pytest.mark.parametrize(
    ("advertised", "meant"),
    [("0.0.0.0:20180", "kv-1:20180"), ("[::]:20180", "kv-1:20180"), ("kv-9:20180", "kv-9:20180"), ("", "")],
)
def test_a_status_address_of_every_host_is_the_store_s_own(advertised: str, meant: str) -> None:
    (store,) = read_stores({"stores": [{"store": {"id": 1, "address": "kv-1:20160", "status_address": advertised}}]})
    assert status_address(store) == meant


async def test_a_real_refusal_is_told_as_one() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # held, and nobody listens
        async with open_web(Access(), WebLimits(), allow=("/status",)) as web:
            probe = await StatusPort(web, f"127.0.0.1:{held.getsockname()[1]}").alive()

    assert probe.outcome == "refused"


def unreachable(cause: Exception) -> SourceUnreachable:
    try:
        raise SourceUnreachable("/status", "TiKV a:1", "no connection (All connection attempts failed)") from cause
    except SourceUnreachable as error:
        return error


def test_no_route_is_told_apart_from_a_refusal_though_the_client_uses_the_same_words() -> None:
    wrapped = OSError("All connection attempts failed")
    wrapped.__cause__ = OSError(113, "No route to host")
    assert outcome_of(unreachable(wrapped)) == "unroutable"

    several = OSError("All connection attempts failed")
    several.__cause__ = ExceptionGroup("both", [OSError(101, "Network is unreachable"), OSError(111, "refused")])
    assert outcome_of(unreachable(several)) == "unroutable"

    assert outcome_of(unreachable(ConnectionRefusedError(111, "refused"))) == "refused"


def test_an_unknown_name_is_no_refusal() -> None:
    error = SourceUnreachable("/status", "TiKV a:1", "no connection ([Errno -2] Name or service not known)")
    assert outcome_of(error) == "unresolved"
