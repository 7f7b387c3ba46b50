"""Questions that only TiKV has, one module per tool."""

from opsai_tikv.probes.every import PROBES

__all__ = ["PROBES"]
