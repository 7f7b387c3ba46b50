"""A row's key planted in every way a log can hold it reaches no reply and no stored evidence, unless the settings say so."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from opsai_server.app import Deps, build
from opsai_server.tickets.store import open_store
from opsai_subjects.config import ClusterSettings, Settings, WebLimits
from opsai_subjects.opening import open_cluster
from tests.server.mcp.bench import text_of

pytestmark = pytest.mark.anyio

KEY = "7480000000000019FFB55F72BC000025D2FF45460C0000000000FA"
RAW = "customer-4711-card"
LINES = (
    f'[FATAL] [lib.rs:1] ["corrupted entry at key: {KEY}, value: {RAW}"] [region_id=7]',
    f'[WARN] [raft_client.rs:1] ["connection aborted"] [addr=10.1.0.22:20160] [start_key={KEY}] [end_key={RAW}]',
    f'[INFO] [signal.rs:1] ["receive signal 15, stopping server... last raw_key={RAW} ‹{RAW}›"]',
    f'[INFO] [lib.rs:1] ["Welcome to TiKV"] [key="{RAW} and more"]',
    f'[WARN] [disk.rs:1] ["disk usage Normal->AlmostFull (lock: Some({KEY}))"] [primary={RAW}]',
    f'[ERROR] [a.rs:1] ["panicked at region start_key: \\"{RAW}\\""]',
)
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("search_logs", {}),
    ("search_logs", {"templates": True}),
    ("search_logs", {"contains": ["region"]}),
    ("timeline", {}),
    ("overview", {}),
    ("differential", {}),
)


@asynccontextmanager
async def logging(folder: Path, *, redact: bool) -> AsyncGenerator[Client]:
    """Serve a cluster of which only a log can be read."""
    at = datetime.now(UTC) - timedelta(seconds=60)
    text = "".join(
        f"[{at + timedelta(seconds=n):%Y/%m/%d %H:%M:%S}.000 +00:00] {rest}\n" for n, rest in enumerate(LINES)
    )
    (folder / "tikv.log").write_text(text, encoding="utf-8")
    settings = Settings(store=folder / "opsai.sqlite")
    cluster = ClusterSettings(endpoints=("127.0.0.1:1",), logs={"kv1": str(folder / "tikv.log")}, redact=redact)
    async with (
        open_cluster("prod", cluster, WebLimits()) as opened,
        open_store(settings.store) as store,
        Client(build(Deps(opened, store, settings))) as client,
    ):
        yield client


async def told(client: Client) -> dict[str, str]:
    """Return every reply and the whole evidence of each."""
    found: dict[str, str] = {}
    for tool, arguments in CALLS:
        reply = text_of(await client.call_tool(tool, arguments))
        evidence = json.loads(reply)["evidence_id"]
        whole = text_of(await client.call_tool("evidence", {"id": evidence}))
        found[f"{tool} {arguments}"] = reply + whole
    return found


async def test_a_planted_key_is_in_no_reply_and_in_no_evidence(tmp_path: Path) -> None:
    async with logging(tmp_path, redact=True) as client:
        replies = await told(client)

    assert [name for name, text in replies.items() if KEY in text or RAW in text] == []
    assert "connection aborted" in replies["search_logs {}"], "the lines were read"
    assert "AlmostFull" in replies["timeline {}"], "the events were"


async def test_the_setting_shows_lines_as_they_were_logged(tmp_path: Path) -> None:
    async with logging(tmp_path, redact=False) as client:
        replies = await told(client)

    assert KEY in replies["search_logs {}"]
    assert RAW in replies["search_logs {}"]
