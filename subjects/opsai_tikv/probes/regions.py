"""The tool `regions`: which regions are not well, one region, the hot ones, and what a stop would take."""

from typing import Annotated

from pydantic import Field

from opsai_subjects.errors import ArgumentInvalid
from opsai_subjects.reply import Answer
from opsai_subjects.subject import Visit
from opsai_tikv.probes.hot_regions import hot_regions
from opsai_tikv.probes.one_region import one_region
from opsai_tikv.probes.place import facts_of, subject_of
from opsai_tikv.probes.stop import stop_answer
from opsai_tikv.probes.troubled_regions import one_cause, troubled_regions


async def regions(
    visit: Visit,
    region: Annotated[
        str, Field(coerce_numbers_to_str=True, description="Its id ('45'), or a key in hex or escaped.")
    ] = "",
    check: Annotated[str, Field(description="One cause ('down-peer', 'empty-region', …), or 'hot'.")] = "",
    stop: Annotated[str, Field(description="Nodes: 'store:4', 'pd-1', 'host=h2', 'zone=z1,pd-2'.")] = "",
) -> Answer:
    """Say which regions are not well, by cause and by store, and which lost their majority.

    Returns with `region`: its peers and why it is unhealthy; with `check`: one cause's regions, or the hot ones with table and share;
    with `stop`: whether these nodes can be stopped now, and which regions would lose their majority, never 'safe' by guess. One of
    the three at most; what PD does about it: scheduling. Claim paths: /counts/down-peer, /stop/state.
    """
    given = [name for name, value in (("region", region), ("check", check), ("stop", stop)) if value]
    if len(given) > 1:
        raise ArgumentInvalid(
            given[1], "…", f"{given[0]} is given too, and they are different questions", "one of them"
        )
    facts, pd = await facts_of(visit), subject_of(visit).ask_pd()
    if stop:
        return await stop_answer(pd, facts, stop, subject_of(visit).sources.metrics)
    if region:
        return await one_region(pd, facts, region)
    if check == "hot":
        return await hot_regions(pd, facts)
    if check:
        return await one_cause(pd, facts, check)
    return await troubled_regions(pd, facts)
