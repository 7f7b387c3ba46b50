"""Fault kinds of etcd with their differentials."""

from opsai_etcd.faults.every import FAULTS

__all__ = ["FAULTS"]
