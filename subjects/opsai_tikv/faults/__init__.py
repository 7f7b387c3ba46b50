"""Fault kinds of TiKV and PD with their differentials."""

from opsai_tikv.faults.every import FAULTS

__all__ = ["FAULTS"]
