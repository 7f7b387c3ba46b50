"""How go-ycsb reaches a system, `compose/<subject>/load.toml`, and the command line that makes it do so."""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from opsai_lab.errors import LabError
from opsai_lab.load.patterns import COMMON, WORKLOADS, Segment
from opsai_subjects.model import Value

FILE_NAME = "load.toml"
MAX_THREADS = 128
_OPERATIONS_A_THREAD = 25
"""A second: a thread waits for each answer, so this carries the rate up to 40 ms an operation."""
_SPARE = 1.2
"""go-ycsb ends when `operationcount` is done; it is told to stop before that."""


class Driver(Value):
    """The whole file."""

    driver: str
    """go-ycsb's name of the system: `tikv`, `etcd`."""
    records: Annotated[int, Field(ge=1000)]
    """Rows of about 1 KB that are written once, before the first pattern."""
    rate: Annotated[int, Field(ge=0)]
    """Operations a second when nothing else is set."""
    properties: dict[str, str]
    """Its own; `{endpoints}` stands for the endpoints, host:port with commas between."""


def read_driver(path: Path) -> Driver:
    """Read it. Raises LabError naming the file, the field and what is wrong with it."""
    try:
        return Driver.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise LabError(f"There is no {path}: it says how go-ycsb reaches the system.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LabError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise LabError(f"{path} does not say how go-ycsb reaches the system: {where}: {first['msg']}") from error


def loading(binary: str, driver: Driver, endpoints: str) -> tuple[str, ...]:
    """Return the command that writes the records."""
    properties = {**COMMON, **_own(driver, endpoints), "recordcount": str(driver.records)}
    return _command(binary, "load", driver, properties, threads=16)


def running(binary: str, driver: Driver, endpoints: str, segment: Segment, rate: int) -> tuple[str, ...]:
    """Return the command of one segment. It does not end by itself before the segment does."""
    target = max(1, round(rate * segment.share))
    threads = min(MAX_THREADS, max(4, math.ceil(target / _OPERATIONS_A_THREAD)))
    properties = {
        **COMMON,
        **_own(driver, endpoints),
        **WORKLOADS[segment.workload],
        "recordcount": str(driver.records),
        # fewer than there are threads is refused (pkg/client/client.go)
        "operationcount": str(math.ceil(target * segment.seconds * _SPARE) + threads),
    }
    return _command(binary, "run", driver, properties, threads=threads, target=target)


def _own(driver: Driver, endpoints: str) -> dict[str, str]:
    # The profiler listens on every address otherwise, at port 6060 (cmd/go-ycsb/main.go).
    own = {name: value.replace("{endpoints}", endpoints) for name, value in driver.properties.items()}
    return {"debug.pprof": "127.0.0.1:0", **own}


def _command(
    binary: str, what: str, driver: Driver, properties: Mapping[str, str], *, threads: int, target: int | None = None
) -> tuple[str, ...]:
    flags = [f"--threads={threads}", "--interval=10"]
    if target is not None:
        flags.append(f"--target={target}")
    given = [part for name, value in properties.items() for part in ("-p", f"{name}={value}")]
    return (binary, what, driver.driver, *flags, *given)
