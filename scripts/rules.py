"""Write compose/SUBJECT/rules.yml of each shipped subject from its invariants: `make rules`."""

import tomllib
from pathlib import Path

from opsai_server.alert_rules import alert_rules, rules_text
from opsai_subjects.registry import subject_kind

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files() -> dict[Path, str]:
    """Return each file and its text: one for each subject that this distribution brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names: list[str] = sorted(project["project"]["entry-points"]["opsai.subjects"])
    return {
        ROOT / "compose" / name / "rules.yml": rules_text(name, alert_rules(name, subject_kind(name).invariants))
        for name in names
    }


if __name__ == "__main__":
    main()
