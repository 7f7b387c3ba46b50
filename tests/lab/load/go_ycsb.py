#!/usr/bin/env python3
"""A stand-in for go-ycsb with its command line (cmd/go-ycsb/client.go at d383d2b): notes its arguments, and puts real load on etcd.

$GO_YCSB_NOTES: a file that gets one JSON line a start, and one at its end. $GO_YCSB_FAILS: this many starts of `run` fail at once.
"""

import argparse
import base64
import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType

NOTES = Path(os.environ["GO_YCSB_NOTES"])


def note(**what: object) -> None:
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


def put(endpoint: str, key: str) -> None:
    encoded = [base64.b64encode(text.encode()).decode() for text in (key, json.dumps({"field0": "x" * 100}))]
    body = json.dumps({"key": encoded[0], "value": encoded[1]}).encode()
    urllib.request.urlopen(f"http://{endpoint}/v3/kv/put", body, timeout=5).read()


def stop(_number: int, _frame: FrameType | None) -> None:
    sys.stdout.write("\nGot signal [terminated] to exit.\n")
    note(ended="signal")
    sys.exit(0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="go-ycsb", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("load", "run"):
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("db", choices=["tikv", "etcd"])
        command.add_argument("-P", "--property_file", action="append")
        command.add_argument("-p", "--prop", action="append", default=[])
        command.add_argument("--table", default="")
        command.add_argument("--threads", type=int, default=1)
        command.add_argument("--target", type=int, default=0)
        command.add_argument("--interval", type=int, default=10)
    return parser.parse_args()


def main() -> None:
    signal.signal(signal.SIGTERM, stop)
    given = arguments()
    properties = dict(one.split("=", 1) for one in given.prop)
    operations = int(properties["recordcount" if given.command == "load" else "operationcount"])
    note(command=given.command, db=given.db, threads=given.threads, target=given.target, properties=properties)
    if operations < given.threads:
        sys.stdout.write("totalOpCount should be bigger than threadCount\n")
        sys.exit(255)
    if given.command == "run" and int(os.environ.get("GO_YCSB_FAILS", "0")) > starts("run") - 1:
        sys.stdout.write("create db failed\n")
        sys.exit(1)
    hosts = properties.get("etcd.endpoints", "").split(",")
    began = time.monotonic()
    for done in range(min(operations, 200) if given.command == "load" else operations):
        if hosts[0]:
            put(hosts[done % len(hosts)], f"usertable:user{done % 1000:012}")
        if given.target:
            time.sleep(max(0.0, began + done / given.target - time.monotonic()))
    note(ended="done")


def starts(command: str) -> int:
    lines = NOTES.read_text(encoding="utf-8").splitlines()
    return sum(json.loads(line).get("command") == command for line in lines)


if __name__ == "__main__":
    main()
