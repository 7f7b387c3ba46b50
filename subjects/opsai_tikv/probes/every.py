"""PROBES: every probe, in the order the tools are listed."""

from opsai_subjects.subject import Probe
from opsai_tikv.probes.latency import latency
from opsai_tikv.probes.regions import regions
from opsai_tikv.probes.scheduling import scheduling

PROBES: tuple[Probe, ...] = (regions, scheduling, latency)
