"""Whatever the stages show, each path gets a verdict that can be read, and a stage that did not grow is never blamed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.model import Window
from opsai_tikv.latency.growth import Growth
from opsai_tikv.latency.measured import Measured, plan
from opsai_tikv.latency.origin import origin
from opsai_tikv.latency.stages import BOTH, READ, WRITE, Path, Stage
from opsai_tikv.latency.told import Telling, rows, verdict

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
STORES = ("store:1", "store:4", "store:5")
STAGES: dict[Path, tuple[Stage, ...]] = {"write": (*BOTH, *WRITE), "read": (*BOTH, *READ)}
FIGURES = st.none() | st.sampled_from((0.0, 0.001, 0.2, 30.0))
PARTS = ("mean", "p50", "p99", "count", "figure")
SIDES = st.dictionaries(st.sampled_from(PARTS), FIGURES)
GROWTHS = st.builds(
    Growth,
    state=st.sampled_from(("grew", "over", "steady", "stopped", "idle", "silent", "unknown")),
    before=SIDES,
    now=SIDES,
    usual=SIDES,
    since=st.none() | st.integers(20, 59),
    until=st.none() | st.integers(20, 59),
    risen=st.frozensets(st.sampled_from(("mean", "p99", "figure"))),
)


@given(st.sampled_from(("write", "read")), st.data())
def test_any_stages_get_a_verdict_and_no_steady_one_is_blamed(path: Path, data: st.DataObject) -> None:
    keys = [(stage.id, store) for stage in STAGES[path] for store in STORES]
    chosen = data.draw(st.lists(st.sampled_from(keys), unique=True, max_size=12))
    growths = {key: data.draw(GROWTHS) for key in chosen}
    asked = plan(Window(start=NOON - timedelta(minutes=10), end=NOON), None, 60.0)
    found = Measured(asked, growths, sampled=bool(growths))
    seen = origin(found, path, STORES, STORES)
    telling = Telling(found, {stage.id: stage.title for stage in STAGES[path]}, {"store:4": "kv2"})
    told = verdict(telling, path, seen)
    assert isinstance(told["says"], str)
    assert told["says"].endswith(".")
    assert len(rows(found, STAGES[path], [seen])) == len(growths)
    if seen.where not in ("unknown", "nothing grew"):
        blamed = [growths[(seen.stage, entity)] for entity in seen.entities if (seen.stage, entity) in growths]
        assert any(growth.risen or growth.state == "stopped" for growth in blamed)
