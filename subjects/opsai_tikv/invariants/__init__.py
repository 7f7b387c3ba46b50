"""Invariants of a TiKV cluster, one module per part."""

from opsai_tikv.invariants.every import INVARIANTS, judge

__all__ = ["INVARIANTS", "judge"]
