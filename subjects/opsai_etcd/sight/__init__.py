"""What can be seen of a cluster from here."""

from opsai_etcd.sight.every import check

__all__ = ["check"]
