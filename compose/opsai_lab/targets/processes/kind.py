"""The entry point of the `processes` target."""

from opsai_lab.targets.processes.target import Processes
from opsai_lab.targets.target import Place, Target, TargetKind


class _Kind:
    name = "processes"
    says = "processes of this machine, from binaries on PATH or in tiup's folder"

    def open(self, place: Place) -> Target:
        return Processes(place)


KIND: TargetKind = _Kind()
