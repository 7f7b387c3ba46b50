"""The command-line flags that all programs share: which cluster is meant, and where settings and tickets are.

Those that a client's own form fills in can be given by the environment too; left empty there, they are not given.
"""

from pathlib import Path
from typing import Annotated

import typer

Subject = Annotated[str | None, typer.Option("--subject", metavar="NAME", help="What kind of system it is.")]
Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        "--pd",
        metavar="URL",
        envvar="OPSAI_ENDPOINT",
        help="A node that knows the others; repeatable (in the environment: with spaces between).",
    ),
]
Prometheus = Annotated[
    str | None,
    typer.Option("--prometheus", metavar="URL", envvar="OPSAI_PROMETHEUS", help="Prometheus-compatible engine."),
]
Logs = Annotated[list[str] | None, typer.Option("--logs", metavar="NODE=GLOB", help="A node's log files; repeatable.")]
Cluster = Annotated[str | None, typer.Option("--cluster", help="Which cluster of the settings file.")]
Config = Annotated[Path | None, typer.Option("--config", help="The settings file, instead of opsai.toml.")]
Store = Annotated[Path | None, typer.Option("--store", help="The database of tickets and evidence.")]
ReplayDir = Annotated[
    Path | None,
    typer.Option("--replay", metavar="DIR", envvar="OPSAI_REPLAY", help="A recording instead of a cluster."),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at", help="The recording's now: ISO time, start, end or +90s; else a minute after its first ticket."
    ),
]
