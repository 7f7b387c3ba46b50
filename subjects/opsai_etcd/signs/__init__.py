"""Signs: sharp observations about one entity, which tell fault kinds apart."""

from opsai_etcd.signs.every import SIGNS, signs

__all__ = ["SIGNS", "signs"]
