"""The bodies that were answered, each stored once under the start of its SHA-1."""

import re
from pathlib import Path

from opsai_subjects.recording.gzipped import corrupt, inflate, lines, parse

_SHA = re.compile(rb'\A\s*\{\s*"sha"\s*:\s*"([0-9a-f]+)"')


class Bodies:
    """Finds a body by its sha; a line is parsed when it is first asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines: dict[str, tuple[int, bytes]] = {}
        for number, line in lines(inflate(file)):
            found = _SHA.match(line)
            sha = found.group(1).decode() if found else parse(file, number, line).get("sha")
            if not isinstance(sha, str) or not line.rstrip().endswith(b"}"):
                raise corrupt(file, "not a body: a JSON object with sha and body", number)
            self._lines[sha] = (number, line)
        self._parsed: dict[str, bytes] = {}

    def __contains__(self, sha: str) -> bool:
        return sha in self._lines

    def body(self, sha: str) -> bytes:
        """Return the body. Raises RecordingCorrupt when its line cannot be read."""
        if sha not in self._parsed:
            if sha not in self._lines:
                raise corrupt(self._file, f"no body with sha {sha!r}, which polls.jsonl.gz names")
            number, line = self._lines[sha]
            text = parse(self._file, number, line).get("body")
            if not isinstance(text, str):
                raise corrupt(self._file, "a body that is no text", number)
            self._parsed[sha] = text.encode("utf-8", errors="replace")
        return self._parsed[sha]

    def verify(self) -> None:
        """Parse every body. Raises RecordingCorrupt for the first that cannot be read."""
        for sha in self._lines:
            self.body(sha)
