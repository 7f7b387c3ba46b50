"""Write the parts of the documents that show what programs say, by running them: `make transcripts`."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from bench.stdio import talk
from opsai_subjects.registry import subject_kind

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
RECORDING = "compose/incidents/amber-heron"
AT = "+180s"
FIRST_SENTENCE = re.compile(r"^(.+?[.?!])(?:\s|$)", re.DOTALL)


def main() -> None:
    """Write the generated parts named in the arguments anew: tools, facts, evaluate, demo, claude, live; without any, all."""
    wanted = sys.argv[1:] or ["tools", "facts", "evaluate", "demo", "claude", "live"]
    told = said("opsai", "demo") if "demo" in wanted else ""
    blocks: dict[str, Callable[[], str]] = {
        "tools": tools,
        "facts": facts,
        "evaluate": evaluate,
        "demo": lambda: fenced(excerpt(told)),
    }
    readme = ROOT / "README.md"
    for name, content in [(name, write()) for name, write in blocks.items() if name in wanted]:
        readme.write_text(replaced(readme.read_text(encoding="utf-8"), name, content), encoding="utf-8")
    if told:
        (ROOT / "docs" / "demo.md").write_text(demo_page(told), encoding="utf-8")
    if "claude" in wanted:
        (ROOT / "docs" / "claude-run.md").write_text(claude_run(), encoding="utf-8")
    if "live" in wanted:
        page = ROOT / "docs" / "live.md"
        page.write_text(replaced(page.read_text(encoding="utf-8"), "live", live()), encoding="utf-8")


def replaced(text: str, name: str, content: str) -> str:
    """Return a document with what stands between a block's marks replaced."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}"


def tools() -> str:
    """Return the table of tools as the server lists them."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ("--replay", ROOT / RECORDING, "--at", "end", "--store", Path(folder) / "tools.sqlite")
        with talk(*flags) as session:
            session.greet()
            listed = session.ask("tools/list")["tools"]
    rows = [f"| `{tool['name']}` | {_first_sentence(tool['description'])} |" for tool in listed]
    return "\n".join(["| tool | what it answers |", "|---|---|", *rows])


def facts() -> str:
    """Return how much each adapter knows."""
    return "\n".join(_known(*one) for one in (("tikv", "TiKV"), ("etcd", "etcd")))


def _known(name: str, called: str) -> str:
    kind = subject_kind(name)
    return (
        f"Of {called} it judges {len(kind.invariants)} invariants and knows {len(kind.faults)} kinds of fault, "
        f"{len(kind.signs)} signs to tell them apart, {len(kind.signals)} named metrics, and {len(kind.known_bugs)} known bugs."
    )


def evaluate() -> str:
    """Return the table over the shipped recordings."""
    return fenced(said("opsai", "evaluate", "compose/incidents", stderr=subprocess.DEVNULL))


def excerpt(told: str) -> str:
    """Return the demo from the fault to its root cause, as it was printed, with what is left out marked."""
    _, _, rest = told.partition("\n\n2  ")
    story, _, _ = rest.partition("\nWhat to do\n")
    return f"…\n2  {story}\n…"


def demo_page(told: str) -> str:
    """Return the page with the whole demo."""
    return f"""# What `make demo` shows

Recorded by `make transcripts` in a pipe, without a key; on a terminal the same text is coloured.

{fenced(told)}
"""


def claude_run() -> str:
    """Return the page with one run of the Claude backend against the stub."""
    with tempfile.TemporaryDirectory(prefix="opsai-") as folder, stub() as url:
        store = Path(folder) / "opsai.sqlite"
        said("opsai-watch", "--replay", RECORDING, "--store", str(store))
        command = ("opsai-agent", "investigate", "T-1", "--replay", RECORDING, "--at", AT, "--backend", "claude")
        text = said(*command, "--store", str(store), ANTHROPIC_API_KEY="stub", ANTHROPIC_BASE_URL=url)
    return f"""# A run of the Claude backend, against a stub

No model was asked here. The Claude backend was pointed at a stand-in for the Messages API on loopback (`python -m tests.agent.stub`), which
answers as the rule-based investigator would, in the API's own stream format. What it shows is real: the SDK, the streamed turns, the tool calls over MCP,
the budget, and the server's checks. What it does not show is how well Claude diagnoses. Prices are those of the model named, applied to the stub's made-up token counts.

```text
$ {" ".join(command)}
{text.replace(folder, "/tmp/opsai").strip()}
```
"""


def live() -> str:
    """Return what a newcomer sees who brings etcd up, breaks it and has it graded; needs etcd on PATH."""
    with tempfile.TemporaryDirectory(prefix="opsai-") as folder:
        steps = [
            ("opsai", "deploy", "local", "up", "--subject", "etcd", "--target", "processes"),
            ("opsai", "demo", "--live", "--subject", "etcd", "--backend", "rules"),
        ]
        told: list[str] = []
        try:
            for program, *arguments in steps:
                told.append(
                    f"$ {program} {' '.join(arguments)}\n{said(program, *arguments, XDG_STATE_HOME=folder, TMPDIR=folder)}"
                )
            recorded = str(next(Path(folder).glob("opsai/lab-recordings/*-recorded")))
            told.append(
                f"$ opsai evaluate {recorded}\n{said('opsai', 'evaluate', recorded, stderr=subprocess.DEVNULL, XDG_STATE_HOME=folder, TMPDIR=folder)}"
            )
        finally:
            told.append(
                f"$ opsai deploy local down\n{said('opsai', 'deploy', 'local', 'down', XDG_STATE_HOME=folder, TMPDIR=folder)}"
            )
    return fenced("\n".join(told).replace(str(BIN) + "/", "").replace(folder, "~/.local/state"))


@contextmanager
def stub() -> Generator[str]:
    """Run the stand-in for the Messages API and give its URL."""
    command = [sys.executable, "-m", "tests.agent.stub"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def said(program: str, *arguments: str, stderr: int = subprocess.STDOUT, **environment: str) -> str:
    """Run one of our programs in the checkout and return what it printed. Raises CalledProcessError."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "OPSAI_"))}
    clean["PATH"] = os.pathsep.join((str(BIN), clean["PATH"]))
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=ROOT,
        env=clean | environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    return done.stdout


def fenced(text: str) -> str:
    """Return text as a block."""
    return f"```text\n{text.strip()}\n```"


def _first_sentence(description: str) -> str:
    found = FIRST_SENTENCE.match(" ".join(description.split()))
    return (found[1] if found else description).replace("|", "\\|")


if __name__ == "__main__":
    main()
