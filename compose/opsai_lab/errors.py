"""What can go wrong on the bench, each said to the person who started it."""

from opsai_subjects.errors import OpsaiError


class LabError(OpsaiError):
    """A local cluster could not be brought up, looked at, harmed, healed or taken down."""


class BlueprintInvalid(LabError):
    """A `cluster.toml` that cannot be used."""


class HarmRefused(LabError):
    """A harm that this target cannot do here, or that nobody may do to this cluster."""


class NobodyLeads(LabError):
    """A fault that means the leader, or a follower, while there is none: an election may end that."""


class LabBusy(LabError):
    """Another bench works on this cluster at this moment."""
