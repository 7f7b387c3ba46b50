"""What each region read and wrote since its last heartbeat but one."""

from typing import Annotated

from pydantic import BeforeValidator

from opsai_tikv.pd.shapes import Finite, Id, Json, Text, or_empty_list

WHOLE_AT_MOST = 2000
"""So many regions are read in one page (1.2 MB), shares are exact then; of more PD is asked for what it holds for hot."""
HEARTBEAT_SECONDS = 60.0
"""raftstore.pd-heartbeat-tick-interval: the interval that the counts stand for."""


class _Leader(Json):
    store_id: Id = ""


class Traffic(Json):
    """One region's traffic; counts are of one heartbeat interval."""

    id: Id
    start_key: Text = ""
    end_key: Text = ""
    leader: _Leader = _Leader()
    written_keys: Finite = 0.0
    read_keys: Finite = 0.0


class _Regions(Json):
    regions: Annotated[tuple[Traffic, ...], BeforeValidator(or_empty_list)] = ()


def read_traffic(json: object) -> tuple[Traffic, ...]:
    """Read a list of regions with their traffic. Raises ValueError."""
    return _Regions.model_validate(json).regions
