"""A target outside opsai's package: it rents machines by writing them into a file, and is otherwise all that a cloud would need."""

from opsai_elsewhere.cloud import KIND

__all__ = ["KIND"]
