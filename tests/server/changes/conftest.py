"""The other program, started once for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.server.changes.audience import Another, another_program


@pytest.fixture(scope="module")
def other() -> Iterator[Another]:
    with another_program() as program:
        yield program
