"""Invariants of an etcd cluster, one module per part."""

from opsai_etcd.invariants.every import INVARIANTS, judge

__all__ = ["INVARIANTS", "judge"]
