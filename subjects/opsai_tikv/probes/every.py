"""PROBES: every probe, in the order the tools are listed."""

from opsai_subjects.probe import Probe
from opsai_tikv.probes.latency import latency

PROBES: tuple[Probe, ...] = (latency,)
