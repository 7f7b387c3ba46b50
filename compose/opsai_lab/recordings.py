"""Where the recordings are that ship with opsai, and how a person names one."""

import sysconfig
from pathlib import Path

from opsai_subjects.errors import UnknownName

MANIFEST = "incident.json"
DEMO = "amber-heron"
"""The recording that the demo plays unless told otherwise."""


def shipped_folder() -> Path:
    """Return the folder of the shipped recordings: the checkout's when there is one, else the installed one."""
    checkout = Path(__file__).resolve().parents[1] / "incidents"
    if checkout.is_dir():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "opsai" / "incidents"


def recordings_in(folder: Path) -> tuple[Path, ...]:
    """Return the recordings in a folder by name: itself when it is one, else those directly inside."""
    if (folder / MANIFEST).is_file():
        return (folder,)
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if (path / MANIFEST).is_file()))


def find(named: str) -> Path:
    """Return the recording meant by a path or by the name of a shipped one. Raises UnknownName with those that ship."""
    path = Path(named)
    if path.is_dir():
        return path
    shipped = recordings_in(shipped_folder())
    for recording in shipped:
        if recording.name == named:
            return recording
    raise UnknownName("recording", named, tuple(recording.name for recording in shipped), advice="Or give a folder.")
