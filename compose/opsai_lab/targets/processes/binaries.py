"""Finding the program of a role: on PATH, else among tiup's components."""

import os
import re
import shutil
from pathlib import Path

from opsai_lab.errors import LabError
from opsai_lab.targets.blueprint import Blueprint


def find_binaries(blueprint: Blueprint) -> dict[str, Path]:
    """Return the program of each role that has nodes. Raises LabError naming all that are missing and where to have them from."""
    found = {role: find_binary(blueprint.roles[role].binary) for role in {node.role: None for node in blueprint.nodes}}
    missing = [role for role, path in found.items() if path is None]
    if missing:
        named = "; ".join(
            f"{blueprint.roles[role].binary} ({blueprint.roles[role].advice or 'no advice is given'})"
            for role in missing
        )
        raise LabError(
            f"Not on PATH and not in {tiup_components()}: {named}. Install it, or run the cluster in containers: --target docker."
        )
    return {role: path for role, path in found.items() if path is not None}


def find_binary(name: str) -> Path | None:
    """Return where a program is: on PATH, else tiup's newest version of it; None when nowhere."""
    if on_path := shutil.which(name):
        return Path(on_path).absolute()
    versions = sorted(tiup_components().glob(f"*/*/{name}"), key=lambda path: _version(path.parent.name))
    usable = [path for path in versions if path.is_file() and os.access(path, os.X_OK)]
    return usable[-1] if usable else None


def tiup_components() -> Path:
    """Return where tiup keeps programs: `~/.tiup/components/<component>/<version>/` (`$TIUP_HOME` moves it)."""
    home = os.environ.get("TIUP_HOME")
    return (Path(home) if home else Path.home() / ".tiup") / "components"


def _version(text: str) -> tuple[tuple[int, ...], bool, str]:
    """Order versions as numbers, a release above its own previews."""
    release, _, preview = text.removeprefix("v").partition("-")
    return tuple(int(part) for part in re.findall(r"\d+", release)), not preview, preview
