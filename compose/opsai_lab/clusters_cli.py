"""`opsai clusters`: which clusters are set, and which cluster was first seen under each name."""

import json
from typing import Annotated

import anyio
import typer

from opsai_subjects.config import load
from opsai_subjects.flags import Config, Store

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="See which clusters are known; let a name go.",
)


@app.command("list", short_help="List the clusters of the settings and of the store.")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    store: Store = None,
    config: Config = None,
) -> None:
    """List the clusters of the settings and those that the store has tickets of by a name, with the id first seen. Asks no cluster."""
    from opsai_lab import reading  # noqa: PLC0415 (--help need not wait for it)

    settings = load(config, store=store)
    known = anyio.run(reading.known_clusters, settings)
    if as_json:
        print(json.dumps({"store": str(settings.store), "clusters": [one.as_json() for one in known]}))
        return
    for one in known:
        print(one.text())
    if not known:
        print("No clusters: none is set, and none was ever seen. See docs/configuration.md, or give --endpoint URL.")


@app.command(short_help="Let another cluster take a name.")
def forget(
    cluster: Annotated[str, typer.Argument(metavar="NAME", help="As `opsai clusters list` names it.")],
    store: Store = None,
    config: Config = None,
) -> None:
    """Forget which cluster was seen under a name: the next that answers under it takes it. Its tickets and evidence stay."""
    from opsai_lab import reading  # noqa: PLC0415 (as above)

    had = anyio.run(reading.forget_cluster, load(config, store=store).store, cluster)
    print(
        f"{cluster} was {had.cluster_id}, first seen {had.first_seen:%Y-%m-%d %H:%M:%S} UTC. The next cluster that answers takes the name."
    )
