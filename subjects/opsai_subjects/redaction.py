"""Data of a system's users taken out of texts of its logs: what is told apart by name and by form, and what a kind adds to that.

Masked are the value of a field or of a part of a text that is named as a key or a value, long hexadecimal in capitals, bytes
written as escapes, and what a system itself marks by ‹›. Ids, counts, commits and times stay.
"""

import re
from functools import cached_property

from opsai_subjects.model import Value

MASK = "‹?›"
"""What stands for a key or a value."""

_ENDS_AS = r"[\w.-]*(?:key|value)s?"
_MARKED = re.compile(r"‹(?:[^‹›]|‹‹|››)*(?:›|\Z)")
_AN_ESCAPE = re.compile(r"\\(?:[0-7]{3}|x[0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"""(?<![^\s"'\\])(?:[^\s"'\\]*\\+(?:[0-7]{3}|x[0-9A-Fa-f]{2})){3,}[^\s"'\\]*""")
_COUNT = re.compile(r"\d{1,12}")


class Redaction(Value):
    """What else is data of users in the logs of one kind of system."""

    names: tuple[str, ...] = ()
    """Names of fields that hold it, in lower case and with `_`, beside those that end in key or value."""
    harmless_names: tuple[str, ...] = ()
    """Names that end so and hold none."""
    harmless_values: str = ""
    """A regular expression of whole values that are none, whatever they are called (a path of the system's own)."""
    hex_prefixes: tuple[str, ...] = ()
    """What hexadecimal of users' data begins with where it may be in lower case too."""

    def redacted(self, text: str) -> str:
        """Return a text of a log without the data of users in it."""
        if "‹" in text:
            text = _MARKED.sub(MASK, text)
        lower = text.lower()
        if any(hint in lower for hint in self._hints):
            text = self._named.sub(self._masked, text)
        if _AN_ESCAPE.search(text):
            text = _ESCAPED.sub(MASK, text)
        return self._hex.sub(MASK, text)

    def field(self, name: str, value: str) -> str:
        """Return the value of a field of a log line without the data of users in it."""
        found = self._field.fullmatch(name)
        return MASK if value and found and self._holds_data(found[1], value) else self.redacted(value)

    @cached_property
    def _hints(self) -> tuple[str, ...]:
        return ("key", "value", *self.names, *(name.replace("_", "-") for name in self.names))

    @cached_property
    def _word(self) -> str:
        names = (re.escape(name).replace("_", "[_-]") for name in sorted(self.names, key=len, reverse=True))
        return f"(?:{'|'.join((_ENDS_AS, *names))})"

    @cached_property
    def _named(self) -> re.Pattern[str]:
        return re.compile(
            rf"""(?<![\w./-]) (?<!`\ ) (?P<name>{self._word}) (?P<told>(?:\ (?:sample|changed))? \\*"? \s? (?:=|:|->) \s?)
            (?P<value>
                (?P<quote>\\*") .*? (?: (?<!\\)(?P=quote) | \Z )
              | (?:\w+\()+ [^()]* \)*
              | \{{ [^{{}}]* \}}? (?: \ ->\ \{{ [^{{}}]* \}}? )?
              | \[ [^\]]* \]?
              | (?<==) [^\]\s"]+
              | [^\s,;\])}}"]+
            )""",
            re.IGNORECASE | re.VERBOSE,
        )

    @cached_property
    def _field(self) -> re.Pattern[str]:
        return re.compile(rf"({self._word})(?: sample)?", re.IGNORECASE)

    @cached_property
    def _hex(self) -> re.Pattern[str]:
        # in lower case it is a commit or a member's id, without letters a timestamp
        begun = "".join(f"|{re.escape(prefix)}[0-9A-Fa-f]{{14,}}" for prefix in self.hex_prefixes)
        return re.compile(rf"(?<![0-9A-Za-z])(?:(?=[0-9]*[A-F])[0-9A-F]{{12,}}{begun})(?![0-9A-Za-z])")

    @cached_property
    def _harmless(self) -> re.Pattern[str]:
        return re.compile(self.harmless_values or r"(?!)")

    def _masked(self, found: re.Match[str]) -> str:
        name, value, quote = found["name"], found["value"], found["quote"] or ""
        if not self._holds_data(name, value) or value == quote * 2:
            return found[0]
        return f"{name}{found['told']}{quote}{MASK}{quote}"

    def _holds_data(self, name: str, value: str) -> bool:
        plain = name.lower().replace("-", "_").replace(" ", "_")
        if plain in self.harmless_names or self._harmless.fullmatch(value):
            return False
        return not (plain.endswith("s") and _COUNT.fullmatch(value))
