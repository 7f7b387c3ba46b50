"""`opsai-agent`: investigate a ticket, or follow undiagnosed tickets."""

import inspect
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import anyio
import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from opsai_agent.asking import Read, question
from opsai_agent.asking import ask as ask_tools
from opsai_agent.following import Following
from opsai_agent.following import follow as follow_tickets
from opsai_agent.loop import Happened
from opsai_agent.report import Line, Report, as_json, call_line, cost_line, diagnosis_lines
from opsai_agent.running import Wish, connected, prepared, run
from opsai_agent.session import open_session
from opsai_subjects.errors import OpsaiError
from opsai_subjects.flags import At, Cluster, Config, Endpoints, Logs, Prometheus, ReplayDir, Store, Subject
from opsai_subjects.model import clean

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Investigate a cluster's tickets over MCP until a checked diagnosis stands. Only observes.",
)
T = TypeVar("T")
STYLES = {"head": "bold", "good": "green", "bad": "red", "dim": "dim"}

BackendChoice = Annotated[
    Literal["auto", "claude", "rules"],
    typer.Option("--backend", help="auto: claude when ANTHROPIC_API_KEY is set, else rules (no model)."),
]
Model = Annotated[str | None, typer.Option("--model", help="The model's id.")]
Effort = Annotated[
    str | None, typer.Option("--effort", help="low, medium, high, xhigh, max; none for a model without thinking.")
]
MaxSteps = Annotated[int | None, typer.Option("--max-steps", min=1, help="Turns at most.")]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens", min=1, help="Tokens at most, cache reads not counted.")]
MaxSeconds = Annotated[float | None, typer.Option("--max-seconds", min=1.0, help="Seconds at most.")]
MaxUsd = Annotated[float | None, typer.Option("--max-usd", min=0.001, help="Dollars at most.")]
Prices = Annotated[Path | None, typer.Option("--prices", help="A price list of your own, as prices.toml.")]
TranscriptFile = Annotated[Path | None, typer.Option("--transcript", help="Where to write the transcript (JSONL).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; the calls go to stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


def _wish(
    backend: BackendChoice = "auto",
    model: Model = None,
    effort: Effort = None,
    max_steps: MaxSteps = None,
    max_tokens: MaxTokens = None,
    max_seconds: MaxSeconds = None,
    max_usd: MaxUsd = None,
    prices: Prices = None,
    transcript: TranscriptFile = None,
    endpoints: Endpoints = None,
    subject: Subject = None,
    prometheus: Prometheus = None,
    logs: Logs = None,
    cluster: Cluster = None,
    config: Config = None,
    store: Store = None,
    replay: ReplayDir = None,
    at: At = None,
) -> Wish:
    given: list[tuple[str, str | Path | None]] = [("--endpoint", url) for url in endpoints or ()]
    given += [("--logs", node) for node in logs or ()]
    given += [
        ("--subject", subject),
        ("--prometheus", prometheus),
        ("--cluster", cluster),
        ("--config", config),
        ("--store", store),
    ]
    given += [("--replay", replay), ("--at", at)]
    flags = tuple(text for flag, value in given if value is not None for text in (flag, str(value)))
    return Wish(backend, model, effort, max_steps, max_tokens, max_seconds, max_usd, config, prices, transcript, flags)


def _with_wish(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a wish beside its own, so that they are written down once."""
    shared = inspect.signature(_wish).parameters
    own = [parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "wish"]

    def called(**arguments: object) -> None:
        wish = _wish(**{name: arguments.pop(name) for name in shared})  # type: ignore[arg-type]  # typer has checked them
        command(wish, **arguments)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared.values())]
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


@app.command()
@_with_wish
def investigate(
    wish: Wish,
    ticket: Annotated[str | None, typer.Argument(help="The ticket; without: is anything wrong, or was it?")] = None,
    json_: AsJson = False,
    debug: Debug = False,
) -> None:
    """Investigate one ticket, or ask whether anything is wrong or was."""
    console = _console(to_stderr=json_)

    async def whole() -> Report:
        async with prepared(wish) as chosen:
            _show(console, Line(chosen.says, "dim"))
            async with connected(wish, chosen) as session:
                return await run(wish, chosen, session, ticket, lambda event: _tell(console, event))

    done = _guarded(whole, debug)
    if json_:
        sys.stdout.write(json.dumps(as_json(done), ensure_ascii=False) + "\n")
    else:
        _print_report(console, done)


@app.command()
@_with_wish
def follow(
    wish: Wish,
    interval_seconds: Annotated[float, typer.Option("--interval", min=1.0, help="Seconds between looks.")] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="Take what is there, then stop.")] = False,
    debug: Debug = False,
) -> None:
    """Investigate undiagnosed open tickets one after another, until stopped."""
    console, errors = _console(to_stderr=False), _console(to_stderr=True)
    watching = Following(
        said=lambda line: _show(errors if line.style == "bad" else console, line),
        happened=lambda event: _tell(console, event),
        diagnosed=lambda done: _print_report(console, done),
    )

    async def whole() -> bool:
        async with prepared(wish) as chosen:
            _show(console, Line(chosen.says, "dim"))
            return await follow_tickets(wish, chosen, watching, interval_seconds=interval_seconds, once=once)

    if not _guarded(whole, debug):
        raise typer.Exit(1)


@app.command()
def ask(
    questions: Annotated[
        list[str], typer.Argument(help="A tool, then its arguments as NAME=VALUE: 'query_metrics name=fsync_p99'.")
    ],
    endpoints: Endpoints = None,
    subject: Subject = None,
    prometheus: Prometheus = None,
    logs: Logs = None,
    cluster: Cluster = None,
    config: Config = None,
    store: Store = None,
    replay: ReplayDir = None,
    at: At = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line, with what it cost to read.")] = False,
    debug: Debug = False,
) -> None:
    """Ask the server's tools as a model would, and print what it would read. Needs no model."""
    wish = _wish(
        endpoints=endpoints,
        subject=subject,
        prometheus=prometheus,
        logs=logs,
        cluster=cluster,
        config=config,
        store=store,
        replay=replay,
        at=at,
    )

    async def whole() -> tuple[Read, ...]:
        asked = [question(text) for text in questions]
        async with open_session(wish.server_flags, by="ask", environment=wish.environment) as session:
            return await ask_tools(session, asked)

    reads = _guarded(whole, debug)
    for read in reads:
        told = read.as_json()
        sys.stdout.write(json.dumps(told if json_ else told["reply"], ensure_ascii=False, indent=None if json_ else 1))
        sys.stdout.write("\n")
    if any(read.reply.is_error for read in reads):
        raise typer.Exit(1)


def main() -> None:
    """Run the program."""
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    app()


def _guarded(whole: Callable[[], Awaitable[T]], debug: bool) -> T:
    try:
        return anyio.run(whole)
    except OpsaiError as error:
        if debug:
            raise
        sys.stderr.write(f"opsai-agent: {clean(str(error))}\n")
        raise typer.Exit(1) from None


def _console(*, to_stderr: bool) -> Console:
    return Console(stderr=to_stderr, highlight=False, markup=False, emoji=False)


def _show(console: Console, line: Line) -> None:
    text = Text(line.text, style=STYLES.get(line.style, ""))
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, line.indent), expand=False))
    else:
        console.print(Text(" " * line.indent) + text, soft_wrap=True)


def _tell(console: Console, event: Happened) -> None:
    if event.reply is not None:
        _show(console, call_line(event.reply))
    elif event.kind == "note":
        _show(console, Line(f"(loop) {event.text}", "dim"))
    else:
        _show(console, Line(" ".join(clean(event.text).split())))


def _print_report(console: Console, done: Report) -> None:
    for line in diagnosis_lines(done):
        _show(console, line)
    _show(console, Line(""))
    _show(console, cost_line(done))
    _show(console, Line(f"Transcript: {done.transcript}", "dim"))
    following = f"opsai tickets show {done.ticket}" if done.ticket else "opsai tickets list"
    _show(console, Line(f"Next: {following}"))


if __name__ == "__main__":
    main()
