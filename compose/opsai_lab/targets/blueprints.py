"""Where the blueprints of local clusters are, and how a person names one."""

import sysconfig
from pathlib import Path

from opsai_lab.targets.blueprint import FILE_NAME, Blueprint, read_blueprint
from opsai_subjects.errors import UnknownName


def shipped_folders() -> tuple[Path, ...]:
    """Return the folders of the shipped blueprints: the checkout's when this is one, else the installed ones."""
    checkout = Path(__file__).resolve().parents[2]
    above = checkout if (checkout / "incidents").is_dir() else Path(sysconfig.get_path("data")) / "share/opsai/clusters"
    return tuple(sorted(path.parent for path in above.glob(f"*/{FILE_NAME}")))


def find_blueprint(subject: str, folder: Path | None = None) -> Blueprint:
    """Return the blueprint of a folder, else the shipped one of a subject. Raises BlueprintInvalid, or UnknownName with those that ship."""
    if folder is not None:
        return read_blueprint(folder.absolute())
    shipped = {path.name: path for path in shipped_folders()}
    if subject not in shipped:
        raise UnknownName(
            "local cluster of the subject",
            subject,
            tuple(shipped),
            advice="Or give a folder with a cluster.toml: --blueprint DIR.",
        )
    return read_blueprint(shipped[subject])
