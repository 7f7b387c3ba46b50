"""All fault kinds."""

from opsai_etcd.faults.data import DATA_FAULTS
from opsai_etcd.faults.members import MEMBER_FAULTS
from opsai_etcd.faults.resources import RESOURCE_FAULTS
from opsai_subjects.fault import FaultKind

FAULTS: tuple[FaultKind, ...] = (*MEMBER_FAULTS, *DATA_FAULTS, *RESOURCE_FAULTS)
