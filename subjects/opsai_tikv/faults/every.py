"""All fault kinds."""

from opsai_subjects.fault import FaultKind
from opsai_tikv.faults.load import LOAD_FAULTS
from opsai_tikv.faults.members import MEMBER_FAULTS
from opsai_tikv.faults.placement import PLACEMENT_FAULTS
from opsai_tikv.faults.pressure import PRESSURE_FAULTS
from opsai_tikv.faults.resources import RESOURCE_FAULTS
from opsai_tikv.faults.stores import STORE_FAULTS

FAULTS: tuple[FaultKind, ...] = (
    *STORE_FAULTS,
    *RESOURCE_FAULTS,
    *MEMBER_FAULTS,
    *PLACEMENT_FAULTS,
    *PRESSURE_FAULTS,
    *LOAD_FAULTS,
)
