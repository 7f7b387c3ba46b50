"""The command-line flags that all programs share: which cluster is meant, and where settings and tickets are."""

from pathlib import Path
from typing import Annotated

import typer

Subject = Annotated[str | None, typer.Option("--subject", metavar="NAME", help="What kind of system it is.")]
Endpoints = Annotated[
    list[str] | None,
    typer.Option("--endpoint", "--pd", metavar="URL", help="A node that knows the others; repeatable."),
]
Prometheus = Annotated[str | None, typer.Option("--prometheus", metavar="URL", help="Prometheus-compatible engine.")]
Logs = Annotated[list[str] | None, typer.Option("--logs", metavar="NODE=GLOB", help="A node's log files; repeatable.")]
Cluster = Annotated[str | None, typer.Option("--cluster", help="Which cluster of the settings file.")]
Config = Annotated[Path | None, typer.Option("--config", help="The settings file, instead of opsai.toml.")]
Store = Annotated[Path | None, typer.Option("--store", help="The database of tickets and evidence.")]
ReplayDir = Annotated[Path | None, typer.Option("--replay", metavar="DIR", help="A recording instead of a cluster.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", help="The recording's now: ISO time, start, end or +90s; else a minute after its first ticket."
    ),
]
