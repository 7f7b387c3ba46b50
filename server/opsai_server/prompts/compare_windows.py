"""The prompt `compare_windows`: what was different in a stretch of time."""

from collections.abc import Mapping

from opsai_server.prompts.prompt import NO_CONCLUSION, RULES, Calls, Written, numbered
from opsai_server.resources.incident import BEFORE
from opsai_server.resources.tickets import read_tickets
from opsai_server.tools.compare_windows import AGO_SECONDS, baseline_of
from opsai_server.tools.compare_windows import BEFORE as JUST_BEFORE
from opsai_server.tools.desks import Desks
from opsai_server.tools.shaping import moment
from opsai_subjects.errors import UnknownName
from opsai_subjects.windows import moment_of, window

BASELINES = (JUST_BEFORE, *AGO_SECONDS)


async def compare_windows(desks: Desks, given: Mapping[str, str]) -> Written:
    """Return the task with the open tickets. Raises ArgumentInvalid or UnknownName."""
    desk = await desks.desk(given.get("cluster", ""))
    call = Calls(desks, desk)
    span = window(desk.now(), None, given["start"], given.get("end"))
    chosen = given.get("baseline", JUST_BEFORE)
    compared = baseline_of(span, chosen)
    # What goes into the task is a name that is known, or a time as we write it.
    baseline = chosen if chosen in BASELINES else moment(moment_of("baseline", chosen))
    topic = given.get("topic", "")
    topics = tuple(dict.fromkeys(signal.topic for signal in desk.kind.signals if signal.topic))
    if topic and topic not in topics:
        raise UnknownName("topic", topic, topics)
    start, end, before = moment(span.start), moment(span.end), moment(span.start - BEFORE)
    only = {"topic": topic} if topic else {}
    steps = [
        (
            f"{call('compare_windows', start=start, end=end, baseline=baseline, **only)}: every metric and node, ranked by how "
            "unusual it is against the baseline and its peers. A score under 3 is usual."
        ),
        f"{call('query_metrics', name='…', start=before, end=end)}: date the shift of each that leads the list.",
        f"{call('timeline', start=before, end=end)}: what happened just before they moved.",
        f"{call('search_logs', templates=True, start=start, end=end, baseline_minutes=10)}: which lines are new since the baseline.",
        (
            "Report what moved first, on which node, by how much, with the evidence_id of each figure; what moved everywhere "
            "(a load, not a sick node); what stayed usual; and which metrics had no series, for nothing is known of those."
        ),
    ]
    text = (
        f"Compare {start} to {end} with {moment(compared.start)} to {moment(compared.end)}. The open tickets are attached.\n{call.note}\n"
        f"{numbered(steps)}\n\n{RULES}\n{NO_CONCLUSION}"
    )
    return Written(desk.name, text, (await read_tickets(desks, desk.name),))
