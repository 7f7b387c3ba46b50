"""The page of one fault kind, written from its data and what the adapter's notes add. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from opsai_subjects.fault import FaultKind, SignSpec
from opsai_subjects.subject import Page


def fault_page(kind: FaultKind, kinds: Mapping[str, FaultKind], says: Mapping[str, SignSpec], notes: str) -> Page:
    """Return the page: what it shows and must not, how it is told from its rivals, what misleads, what to do, notes."""
    parts = [
        ("What it shows", _shows(kind, says)),
        ("What speaks against it", _lines(kind.must_not_show, says)),
        ("What makes it likelier", _lines(kind.supports, says)),
        ("Told from", _rivals(kind, kinds, says)),
        ("What misleads", [f"- {text}" for text in kind.red_herrings]),
        ("What to do", _action(kind)),
        ("Where to look, how long, what makes it worse", notes.splitlines()),
    ]
    text = "\n\n".join(f"## {title}\n" + "\n".join(lines) for title, lines in parts if lines)
    return Page(id=kind.id, title=f"{kind.says[:1].upper()}{kind.says[1:]} ({kind.id}, on a {kind.on})", text=text)


def _shows(kind: FaultKind, says: Mapping[str, SignSpec]) -> list[str]:
    groups = [f"- one of: {'; '.join(_said(name, says) for name in group)}" for group in kind.one_of]
    return [*_lines(kind.must_show, says), *groups]


def _rivals(kind: FaultKind, kinds: Mapping[str, FaultKind], says: Mapping[str, SignSpec]) -> list[str]:
    found: list[str] = []
    for name in kind.rivals:
        rival = kinds.get(name)
        if rival is None:
            continue
        telling = _telling(kind, rival)
        by = f": {'; '.join(_said(sign, says) for sign in telling)}" if telling else ""
        found.append(f"- {name} ({rival.says}){by}")
    return found


def _telling(kind: FaultKind, rival: FaultKind) -> Sequence[str]:
    """Return the signs that one of the two must show and the other must not."""
    needed, other = _needed(kind), _needed(rival)
    forbidden = [name for name in rival.must_not_show if name in needed]
    return list(dict.fromkeys([*forbidden, *(name for name in kind.must_not_show if name in other)]))


def _needed(kind: FaultKind) -> set[str]:
    return {*kind.must_show, *(name for group in kind.one_of for name in group)}


def _lines(names: Iterable[str], says: Mapping[str, SignSpec]) -> list[str]:
    return [f"- {_said(name, says)}" for name in names]


def _said(name: str, says: Mapping[str, SignSpec]) -> str:
    spec = says.get(name)
    if spec is None:
        return name
    metrics = f", see {', '.join(f'`{metric}`' for metric in spec.metrics)}" if spec.metrics else ""
    return f"{spec.says} ({name}{metrics})"


def _action(kind: FaultKind) -> list[str]:
    touches = "" if kind.touches == "nothing" else f" It touches: {kind.touches}."
    return [f"{kind.do}{touches}", "", f"Why: {kind.because}", "", f"It has worked when: {kind.verify}"]
