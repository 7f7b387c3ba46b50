"""Starts one process that outlives whoever asked for it. Runs by itself, with the standard library only: it must start fast.

It writes down who the process is before the process is what it will be: were it the other way round, a crash between the two
would leave a process that nobody knows. The pid stays the same through `exec`, and so does its birth.
"""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """What is to be started, as the only argument in JSON."""

    command: list[str]
    output: str
    """The file that what it prints is appended to."""
    life: str
    """The file that says who it is."""
    group: int | None
    """The group id it runs with; None: ours."""


def birth(pid: int) -> str:
    """Return what tells this process from a later one with its pid; empty when there is none, or only its remains (a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _birth_by_ps(pid)
    return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _birth_by_ps(pid: int) -> str:
    asked = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    said = subprocess.run(asked, check=False, capture_output=True, text=True, env={"LC_ALL": "C"}).stdout.split()  # noqa: S603 (fixed words and a number)
    return "" if not said or said[0].startswith("Z") else " ".join(said[1:])


def _become(order: Order, tell: int) -> None:
    """Turn this process into the one asked for; what fails is written to `tell` and ends it."""
    life = Path(order.life)
    try:
        os.setsid()
        output = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in enumerate((nothing, output, output)):
            os.dup2(source, target)
        _raise_open_files()
        partial = life.with_name(f".{life.name}.{os.getpid()}")
        partial.write_text(
            json.dumps({"pid": os.getpid(), "birth": birth(os.getpid()), "wanted": True}), encoding="utf-8"
        )
        partial.replace(life)
        if order.group is not None:
            os.setgroups([])
            os.setgid(order.group)
        os.execve(order.command[0], order.command, _environment())  # noqa: S606 (no shell)
    except OSError as error:
        life.unlink(missing_ok=True)
        os.write(tell, f"{error.filename or ''} {error.strerror}".strip().encode())
    os._exit(1)


def _raise_open_files() -> None:
    """Allow as many open files as this user may have: TiKV refuses to start with the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):
        return  # macOS says infinity and then refuses it


def _environment() -> dict[str, str]:
    """Return the environment of a node: little, because etcd and others read settings of their own from it.

    PYTHONPATH is for a process of ours (the duty cycle) where opsai is not installed but found by it.
    """
    kept = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def main() -> int:
    """Start what the order on the command line says; print why when it could not be started."""
    order = Order(**json.loads(sys.argv[1]))
    reading, telling = os.pipe()  # closed by a successful exec
    if os.fork() == 0:
        os.close(reading)
        _become(order, telling)
    os.close(telling)
    with os.fdopen(reading, "rb") as pipe:
        why = pipe.read()
    sys.stdout.write(why.decode("utf-8", "replace"))
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
