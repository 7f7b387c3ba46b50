"""The catalogue of named metrics."""

from opsai_etcd.metrics.every import SIGNALS

__all__ = ["SIGNALS"]
