"""Draw docs/view.png anew: what a host shows of the shipped recording. `python -m scripts.screenshot`, after `make clients` and with Chromium."""

import io
import sys
import tempfile
from functools import partial
from pathlib import Path

import anyio
from PIL import Image

from tests.clients.view.staging import chromium, driven

TARGET = Path(__file__).resolve().parents[1] / "docs" / "view.png"
HEIGHT = 1360
"""The health, the timeline and the charts; what follows is lists."""
COLOURS = 160


def main() -> None:
    """Drive the view as its tests do, and keep the upper part of its picture."""
    if chromium() is None:
        sys.exit("There is no chromium on PATH: Debian's package chromium has it.")
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(partial(driven, Path(folder)))
        whole = Image.open(Path(folder) / "view-light.png").convert("RGB")
    target = io.BytesIO()
    part = whole.crop((0, 0, whole.width, min(HEIGHT, whole.height)))
    part.quantize(COLOURS, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)
    TARGET.write_bytes(target.getvalue())
    print(f"{TARGET.name}: {len(target.getvalue())} bytes")


if __name__ == "__main__":
    main()
