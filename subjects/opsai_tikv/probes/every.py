"""PROBES: every probe, in the order the tools are listed."""

from opsai_subjects.probe import Probe

PROBES: tuple[Probe, ...] = ()
