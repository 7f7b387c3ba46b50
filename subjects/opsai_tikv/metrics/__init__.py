"""The catalogue of named metrics: each with its query, unit, meaning, normal range and pitfalls."""

from opsai_tikv.metrics.every import SIGNALS

__all__ = ["SIGNALS"]
