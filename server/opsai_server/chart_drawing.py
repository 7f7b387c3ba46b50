"""How a chart is drawn: matplotlib on a canvas in memory, in one thread at a time. Loaded when one is asked for."""

# The library's own annotations leave its keyword arguments open.
# pyright: reportUnknownMemberType=false

import functools
import io
import math
import threading
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import MINUTELY, AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MultipleLocator
from PIL import Image

from opsai_server.chart import Chart, Line
from opsai_subjects.movement import Floats

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 10, 5, 100
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")
"""Okabe and Ito's palette, which the colour-blind tell apart, with grey for its yellow that white swallows."""
DASHED_FROM = 4
INK, FAINT, GRID, MARK = "#222222", "#666666", "#e4e4e4", "#b00020"
SMOOTH = 128
"""Colours that the file keeps: enough for smooth edges."""
MOST_BYTES = 60_000
"""Lines so dense that the file would be larger are kept in their own colours alone, with rough edges."""
COMPRESS_LEVEL = 6
"""The highest takes ten times as long for a twentieth of the bytes."""
TITLE_CHARS, SUBTITLE_CHARS, LABEL_CHARS, MARK_CHARS = 84, 140, 44, 32
CHARACTER_PIXELS, HANDLE_PIXELS, LEGEND_PIXELS = 6.3, 46, 960
LARGEST = 1e100
"""Values further from zero are left out: their axis could not be computed."""
FROM_ZERO = 0.5
"""Values that come this close to zero, as a part of their largest, are drawn on an axis that begins there."""
SETTINGS: dict[str, object] = {
    "text.usetex": False,
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "timezone": "UTC",
}
"""A user's own settings of the library do not reach what is drawn: `$` means nothing, and no other program typesets."""

_one_at_a_time = threading.Lock()
"""The library's settings are the process's own."""


def drawn(chart: Chart) -> bytes:
    """Return the chart as PNG, 1000 by 500 pixels and under 60 KB."""
    with _one_at_a_time:
        mpl.rcdefaults()
        return _drawn(chart)


def _drawn(chart: Chart) -> bytes:
    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]  # its keys are a Literal of three hundred names
        figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DOTS_PER_INCH)
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.1)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        handles = [_line(axes, line, chart.step_seconds, place) for place, line in enumerate(chart.lines)]
        _frame(axes, chart)
        _mark(axes, chart)
        _words(axes, chart)
        _legend(figure, chart, handles)
        canvas.draw()
        return _file(canvas)


def _file(canvas: FigureCanvasAgg) -> bytes:
    size = (WIDTH_INCHES * DOTS_PER_INCH, HEIGHT_INCHES * DOTS_PER_INCH)
    image = Image.frombytes("RGBA", size, bytes(canvas.buffer_rgba())).convert("RGB")
    file = _png(image.quantize(SMOOTH, dither=Image.Dither.NONE))
    return file if len(file) <= MOST_BYTES else _png(image.quantize(palette=_plain(), dither=Image.Dither.NONE))


def _png(image: Image.Image) -> bytes:
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=COMPRESS_LEVEL)
    return target.getvalue()


def _plain() -> Image.Image:
    palette = Image.new("P", (1, 1))
    palette.putpalette(b"".join(bytes.fromhex(colour[1:]) for colour in ("#ffffff", INK, FAINT, GRID, MARK, *COLOURS)))
    return palette


def _line(axes: Axes, line: Line, step_seconds: float, place: int) -> Line2D:
    times, values = with_gaps(line.times, line.values, step_seconds)
    style = "-" if place < DASHED_FROM else (0, (4, 1.5))
    colour = COLOURS[place % len(COLOURS)]
    (handle,) = axes.plot(_days(times), values, linestyle=style, linewidth=1.6, color=colour, zorder=3)
    lone = alone(values)
    axes.plot(_days(times[lone]), values[lone], linestyle="", marker=".", markersize=5, color=colour, zorder=3)
    return handle


def with_gaps(times: Floats, values: Floats, step_seconds: float) -> tuple[Floats, Floats]:
    """Return the points with one that is not a number wherever points are missing, so that no line bridges them."""
    kept = np.where(np.isfinite(values) & (np.abs(values) < LARGEST), values, np.nan)
    after = np.flatnonzero(np.diff(times) > 1.5 * step_seconds) + 1
    return np.insert(times, after, times[after - 1] + step_seconds), np.insert(kept, after, np.nan)


def alone(values: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which points have a gap on both sides: no line reaches them."""
    there = np.isfinite(values)
    before = np.concatenate(([False], there[:-1]))
    after = np.concatenate((there[1:], [False]))
    return there & ~before & ~after


def _days(seconds: Floats) -> Floats:
    """Return Unix seconds as the library counts time: days since 1970."""
    return seconds / 86_400.0


def _frame(axes: Axes, chart: Chart) -> None:
    axes.set_xlim(chart.window.start.timestamp() / 86_400.0, chart.window.end.timestamp() / 86_400.0)
    low, high = axes.get_ylim()
    least, most = _range(axes)
    if 0 <= least <= FROM_ZERO * most:
        axes.set_ylim(0, high)
    elif 0 >= most >= FROM_ZERO * least:
        axes.set_ylim(low, 0)
    locator = AutoDateLocator(tz=UTC, minticks=4, maxticks=11)
    locator.intervald[MINUTELY] = [1, 2, 5, 10, 15, 30]
    axes.xaxis.axis_date("UTC")
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC, show_offset=False))
    if _written(chart.unit) is _bytes:
        axes.yaxis.set_major_locator(MultipleLocator(_bytes_step(*axes.get_ylim())))
    axes.yaxis.set_major_formatter(FuncFormatter(_ticks(chart.unit)))
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _range(axes: Axes) -> tuple[float, float]:
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.get_lines()])
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 1.0)


def _mark(axes: Axes, chart: Chart) -> None:
    for number, mark in enumerate(chart.marks):
        at = mark.at.timestamp() / 86_400.0
        low, high = axes.get_xlim()
        right = at > low + 0.8 * (high - low)
        axes.axvline(at, color=MARK, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2)
        axes.annotate(
            fitting(mark.label, MARK_CHARS),
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, -4 - 12 * number),
            textcoords="offset points",
            ha="right" if right else "left",
            va="top",
            color=MARK,
            fontsize=8.5,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )


def _words(axes: Axes, chart: Chart) -> None:
    axes.set_title(fitting(chart.title, TITLE_CHARS), loc="left", fontsize=12, fontweight="bold", pad=22)
    subtitle = fitting(chart.subtitle, SUBTITLE_CHARS)
    axes.annotate(subtitle, (0, 1), xycoords="axes fraction", xytext=(0, 7), textcoords="offset points", color=FAINT)
    if _written(chart.unit) is _number:
        axes.set_ylabel(fitting(chart.unit, LABEL_CHARS))
    first, last = chart.window.start.astimezone(UTC), chart.window.end.astimezone(UTC)
    days = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    axes.set_xlabel(f"UTC, {days}" + (f"      {fitting(chart.note, SUBTITLE_CHARS)}" if chart.note else ""))


def _legend(figure: Figure, chart: Chart, handles: list[Line2D]) -> None:
    labels = [fitting(line.label, LABEL_CHARS) for line in chart.lines]
    widest = max((len(label) for label in labels), default=0) * CHARACTER_PIXELS + HANDLE_PIXELS
    columns = max(1, min(len(labels), int(LEGEND_PIXELS // widest)))
    # A legend leaves out labels that begin with an underscore: the texts are put in after it is made.
    legend = figure.legend(
        handles, ["x"] * len(labels), loc="outside lower left", ncols=columns, frameon=False, fontsize=8.5
    )
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)


def fitting(text: str, chars: int) -> str:
    """Return the text as it can be drawn: in one line, cut with an ellipsis, `?` for what the font does not have."""
    font = _font()
    line = "".join(one if font.get_char_index(ord(one)) else "?" for one in text if one.isprintable())
    return line if len(line) <= chars else line[: chars - 1] + "…"


@functools.cache
def _font() -> FT2Font:
    return FT2Font(str(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))


def _ticks(unit: str) -> Callable[[float, int], str]:
    write = _written(unit)

    def tick(value: float, _place: int) -> str:
        return write(value)

    return tick


def _written(unit: str) -> Callable[[float], str]:
    return _bytes if unit.startswith("bytes") else _seconds if unit == "s" else _number


def _bytes_step(low: float, high: float) -> float:
    """Return a step between marks that is round in KiB, MiB or what fits, for about five of them."""
    unit = 1024.0 ** _power(max(abs(low), abs(high)))
    rough = (high - low) / unit / 5
    tens = 10.0 ** math.floor(math.log10(rough))
    return unit * next(step * tens for step in (1, 2, 5, 10) if step * tens >= rough)


def _power(value: float) -> int:
    return min(5, int(math.log2(value) // 10)) if value >= 1 else 0


def _bytes(value: float) -> str:
    power = _power(abs(value))
    return f"{value / 1024**power:.4g} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB')[power]}"


def _seconds(value: float) -> str:
    if value == 0 or abs(value) >= 1:
        return f"{value:.6g} s"
    return f"{value * 1e3:.4g} ms" if abs(value) >= 1e-3 else f"{value * 1e6:.4g} µs"


def _number(value: float) -> str:
    for limit, scale, letter in ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / scale:.5g} {letter}"
    return f"{value:.6g}"
