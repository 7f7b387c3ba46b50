"""Reads of etcd that may fail, told shortly: every member is asked the same questions."""

from collections.abc import Sequence

from opsai_subjects import attempts
from opsai_subjects.model import clean


class Attempts(attempts.Attempts):
    """Collects what could not be read; of several questions only the first is named."""

    def __init__(self) -> None:
        super().__init__(_first_of)


def _first_of(asked: Sequence[str]) -> str:
    return clean(asked[0] if len(asked) == 1 else f"{len(asked)} questions, the first: {asked[0]}", 300)
