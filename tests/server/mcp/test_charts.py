"""The picture of a query: what it shows, what it leaves out and says so, and that nothing in a label is interpreted."""

import base64
import io
import math
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.types import CallToolResult, ImageContent
from PIL import Image

from opsai_server.chart import LINES, MARKS, Chart, Line, Mark
from opsai_server.chart_drawing import COLOURS, MARK, drawn
from opsai_subjects.model import Window
from tests.server.mcp.bench import Served, series, served, steady, text_of
from tests.server.toy import NOON

pytestmark = pytest.mark.anyio

MOST_BYTES = 60_000
LAST_TEN = Window.last(600, NOON)
RED, BLUE = (tuple(bytes.fromhex(colour[1:])) for colour in (MARK, COLOURS[0]))
NEAR = 150
"""How far a kept colour may be from the one drawn: edges are smoothed, and the file keeps few."""
HOSTILE = (
    r"$\frac{1}{0}$ \textbf{x} $",
    "_starts_with_an_underscore",
    "</svg><script>alert(1)</script>",
    "line\nbreak\tand \x1b[31mred\x1b[0m",
    "\u202eright to left",
    "漢字 and 🙂",
    "x" * 5_000,
    "",
)


async def picture(toy: Served, **asked: object) -> tuple[CallToolResult, np.ndarray]:
    result = await toy.client.call_tool("query_metrics", {"chart": True, **asked})
    assert not result.is_error, text_of(result)
    (image,) = [part for part in result.content if isinstance(part, ImageContent)]
    assert image.mime_type == "image/png"
    return result, pixels(base64.b64decode(image.data))


def pixels(png: bytes) -> np.ndarray:
    assert len(png) < MOST_BYTES
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", (1000, 500))
    return np.asarray(image.convert("RGB")).astype(int)


def columns(shown: np.ndarray, colour: tuple[int, ...]) -> list[int]:
    """Return the columns of the plot, without its legend, in which there is something of the colour."""
    near = np.abs(shown[60:400] - np.array(colour)).sum(axis=2) < NEAR
    return [int(column) for column in np.flatnonzero(near.any(axis=0))]


def longest_break(found: list[int]) -> int:
    return int(np.diff(found).max())


async def test_a_query_is_drawn_beside_the_reply_that_says_the_same(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(series("toy_load", range(120), instance="10.0.0.2:7000"))
        result, shown = await picture(toy, query="toy_load")

    assert result.structured_content is not None
    assert result.structured_content["chart"] == "1 of 1 series drawn. The image stands beside this reply."
    assert result.structured_content["series"][0]["max"] == 119
    assert len(columns(shown, BLUE)) > 850
    assert columns(shown, RED) == []


async def test_without_being_asked_nothing_is_drawn(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(steady("toy_load", 3.0))
        result = await toy.client.call_tool("query_metrics", {"query": "toy_load"})

    assert [part.type for part in result.content] == ["text"]
    assert "chart" not in (result.structured_content or {})


async def test_a_gap_stays_a_gap(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [
            series("toy_whole", [1.0, 2.0] * 60),
            series("toy_broken", [1.0] * 40 + [math.nan] * 40 + [2.0] * 40),
        ]
        _, whole = await picture(toy, query="toy_whole")
        _, broken = await picture(toy, query="toy_broken")

    assert longest_break(columns(whole, BLUE)) < 10
    assert longest_break(columns(broken, BLUE)) > 250


async def test_where_a_ticket_began_there_is_a_mark_and_the_reply_says_so(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples.append(series("toy_load", range(120)))
        toy.world.parts["b"].up = False
        await toy.watch(0, 40, 40)
        toy.world.later(240)
        result, shown = await picture(toy, query="toy_load")
        (ticket,) = await toy.store.tickets(toy.cluster.name)

    assert result.structured_content is not None
    assert f"; {ticket.id} began at 2026-05-01T12:00:00.000Z" in result.structured_content["chart"]
    assert len(columns(shown, RED)) > 3


async def test_of_many_series_those_that_moved_most_are_drawn_and_the_rest_is_counted(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [steady("toy_load", float(n), part=str(n)) for n in range(50)]
        result, _ = await picture(toy, query="toy_load")

    assert result.structured_content is not None
    assert result.structured_content["chart"].startswith("8 of 50 series drawn, those that moved most.")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"query": "toy_nosuch"}, "there is nothing to draw (see empty_because)"),
        ({"query": "toy_infinite"}, "no series has a finite value"),
        ({"query": "toy_load", "step_seconds": 3600}, "no series has two points in this window. Try: a longer window"),
    ],
)
async def test_where_there_is_no_line_there_is_no_image_and_the_reply_says_why(
    tmp_path: Path, asked: dict[str, object], why: str
) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [steady("toy_load", 3.0, until=10), steady("toy_infinite", math.inf)]
        result = await toy.client.call_tool("query_metrics", {"chart": True, **asked})

    assert [part.type for part in result.content] == ["text"]
    assert why in (result.structured_content or {})["chart"]


async def test_labels_from_the_cluster_are_drawn_as_they_stand(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.metrics.samples += [series("toy_load", [n, n + 1.0] * 60, what=text) for n, text in enumerate(HOSTILE)]
        result, _ = await picture(toy, query="toy_load")

    assert (result.structured_content or {})["chart"].startswith("8 of 8 series drawn.")


def test_any_text_and_any_moment_can_be_drawn() -> None:
    marks = [Mark(NOON - timedelta(seconds=200 * n), text) for n, text in enumerate(HOSTILE[:MARKS])]
    for text in HOSTILE:
        line = Line(text, *points([1.0, 2.0]))
        pixels(drawn(Chart(text, text, text, LAST_TEN, 15, [line], marks, text)))


WILD = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=12)
@given(
    unit=st.sampled_from(["s", "bytes/s", "1/s", "µs"]),
    values=st.lists(st.lists(WILD, min_size=2, max_size=9), min_size=1, max_size=3),
)
def test_any_values_can_be_drawn(unit: str, values: list[list[float]]) -> None:
    lines = [Line(str(n), *points(one)) for n, one in enumerate(values)]

    assert pixels(drawn(Chart("t", "s", unit, LAST_TEN, 15, lines))).any()


def points(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    first = LAST_TEN.start.timestamp()
    return first + 15.0 * np.arange(len(values)), np.array(values, dtype=np.float64)


def test_the_densest_picture_stays_small() -> None:
    noise = np.random.default_rng(1)
    times = LAST_TEN.start.timestamp() + 0.3 * np.arange(2000)
    lines = [Line(f"series {n} " + "long " * 9, times, noise.random(2000)) for n in range(LINES)]

    pixels(drawn(Chart("title " * 20, "subtitle " * 20, "1/s", LAST_TEN, 0.3, lines, note="and more")))


def test_no_start_waits_for_the_library_that_draws() -> None:
    program = "import sys, opsai_server.http_app; print({'matplotlib', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "set()\n"


DRAW_ONE = """
import sys
import numpy as np
from opsai_server.chart import Chart, Line
from opsai_server.chart_drawing import drawn
from opsai_subjects.model import Window, utc

sys.addaudithook(lambda event, args: event == "subprocess.Popen" and sys.exit(f"it started {args}"))
line = Line("$y$", np.array([0.0, 600.0]), np.array([1.0, 2.0]))
print(drawn(Chart("$x$", "", "", Window.last(600, utc(600)), 600, [line]))[:4])
"""


def test_a_users_own_settings_of_the_library_start_no_typesetter(tmp_path: Path) -> None:
    own = tmp_path / "matplotlibrc"
    own.write_text("text.usetex: True\ntext.parse_math: True\nfont.family: no such font\n", encoding="utf-8")
    environment = {**os.environ, "MATPLOTLIBRC": str(own)}
    done = subprocess.run(
        [sys.executable, "-c", DRAW_ONE], env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.stdout, done.stderr) == ("b'\\x89PNG'\n", "")
