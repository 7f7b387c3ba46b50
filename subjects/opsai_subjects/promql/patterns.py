"""Regular expressions as PromQL means them: RE2's syntax, anchored at both ends, a dot that matches a newline too.

Whether a value matches is asked of the engine inside pydantic-core (Rust's `regex`), which like RE2 takes linear time
whatever the expression; what a group holds is then asked of Python's `re`. For both an expression is rewritten to mean
what it means in RE2; what RE2 does not know is refused in the words of Go's regexp/syntax.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

_DIGIT, _WORD, _SPACE = "0-9", "0-9A-Z_a-z", "\\t\\n\\f\\r "
_SHORT = {
    "d": _DIGIT,
    "w": _WORD,
    "s": _SPACE,
    "D": "\\x00-/:-\\U0010ffff",
    "W": "\\x00-/:-@\\[-\\^`{-\\U0010ffff",
    "S": "\\x00-\\x08\\x0b\\x0e-\\x1f!-\\U0010ffff",
}
_NAMED = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": _DIGIT,
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t-\\r ",
    "upper": "A-Z",
    "word": _WORD,
    "xdigit": "0-9A-Fa-f",
}
_LETTERS = {"a": "\x07", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_MOST_REPEATS = 1000

_GROUP = re.compile(r"\(\?(?:P?<(?P<name>\w+)>|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)]))")
_REPEAT = re.compile(r"(?:[*+?]|\{(?P<low>\d+)(?P<comma>,(?P<high>\d*))?\})\??")
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|\{(?P<braced>\w+)\})", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What the two engines write differently."""

    end: str
    ascii: str
    """How a word boundary is told to know ASCII words only."""
    unicode_classes: bool


_PYTHON = _Dialect("\\Z", "(?a:{})", unicode_classes=False)
_RUST = _Dialect("\\z", "(?-u:{})", unicode_classes=True)


@lru_cache(maxsize=4096)
def matching(pattern: str) -> Callable[[str], bool]:
    """Return what says whether a whole text matches. Raises ValueError with what is wrong with the expression."""
    rewritten = _Rewriting(pattern, _RUST).whole()
    try:
        schema = core_schema.str_schema(pattern=f"^(?s:{rewritten})\\z", regex_engine="rust-regex")
        return SchemaValidator(schema).isinstance_python
    except SchemaError as error:
        raise ValueError(f"{str(error).rpartition(': ')[2].strip()}: `{pattern}`") from error


@lru_cache(maxsize=512)
def capturing(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """Return what finds the groups of a whole text. Raises ValueError with what is wrong with the expression."""
    matches = matching(pattern)
    try:
        regex = re.compile(_Rewriting(pattern, _PYTHON).whole(), re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{error}: `{pattern}`") from error
    return lambda text: regex.fullmatch(text) if matches(text) else None


def expanded(template: str, match: re.Match[str]) -> str:
    """Fill `$1`, `${1}`, `$name` and `$$` as Go's Regexp.Expand does; a group that does not exist is empty."""

    def group(reference: re.Match[str]) -> str:
        if reference["dollar"]:
            return "$"
        name = reference["bare"] or reference["braced"]
        if name.isdigit():
            return (match[int(name)] or "") if int(name) <= (match.re.groups) else ""
        return (match[name] or "") if name in match.re.groupindex else ""

    return _REFERENCE.sub(group, template)


class _Rewriting:
    """One expression on its way from RE2's syntax to an engine's."""

    def __init__(self, pattern: str, dialect: _Dialect) -> None:
        self._rest = pattern
        self._dialect = dialect
        self._out: list[str] = []
        self._flags: list[list[str]] = [[]]
        """The flags set so far in each open group: each is a scope of its own, to be closed with the group."""
        self._repeatable = False
        """Whether an operand stands before."""
        self._multiline = re.search(r"\(\?[isU]*m", pattern) is not None

    def whole(self) -> str:
        """Return the rewritten expression."""
        while self._rest:
            self._step()
        if len(self._flags) > 1:
            raise ValueError("missing closing )")
        return "".join((*self._out, ")" * len(self._flags[0])))

    def _step(self) -> None:
        head = self._rest[0]
        if head == "(":
            self._group()
        elif head == ")":
            self._close()
        elif head == "[":
            self._operand(self._class())
        elif head == "\\":
            self._operand(self._escape())
        elif repeat := _REPEAT.match(self._rest):
            self._repeat(repeat)
        elif head == "|":
            # Flags set inside one alternative hold for the next ones too.
            self._operand(f"{')' * len(self._flags[-1])}{self._take(1)}{''.join(self._flags[-1])}")
            self._repeatable = False
        elif head in "^$":
            end = self._dialect.end if head == "$" and not self._multiline else head
            self._take(1)
            self._operand(f"(?:{end})")  # in a group, for only there it may be repeated
        else:
            self._operand(self._take(1) if head == "." else re.escape(self._take(1)))

    def _take(self, count: int) -> str:
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def _operand(self, text: str) -> None:
        self._out.append(text)
        self._repeatable = True

    def _group(self) -> None:
        if not self._rest.startswith("(?"):
            self._take(1)
            self._enter("(")
            return
        found = _GROUP.match(self._rest)
        if found is None:
            raise ValueError(f"invalid or unsupported Perl syntax: `{self._rest[:3]}`")
        self._take(found.end())
        if found["name"]:
            self._enter(f"(?P<{found['name']}>")
            return
        if "U" in found["flags"]:
            raise ValueError("the flag U is not supported here")
        if found["end"] == ":":
            self._enter(f"(?{found['flags']}:")
        else:
            self._flags[-1].append(f"(?{found['flags']}:")
            self._out.append(self._flags[-1][-1])
            self._repeatable = False

    def _enter(self, text: str) -> None:
        self._out.append(text)
        self._flags.append([])
        self._repeatable = False

    def _close(self) -> None:
        if len(self._flags) == 1:
            raise ValueError("unexpected )")
        self._take(1)
        self._operand(")" * (1 + len(self._flags.pop())))

    def _repeat(self, found: re.Match[str]) -> None:
        if not self._repeatable:
            raise ValueError(f"missing argument to repetition operator: `{found[0]}`")
        low, high = found["low"], found["high"] or found["low"]
        if low and (max(int(low), int(high)) > _MOST_REPEATS or int(high) < int(low)):
            raise ValueError(f"invalid repeat count: `{found[0]}`")
        self._take(found.end())
        if again := _REPEAT.match(self._rest):
            raise ValueError(f"invalid nested repetition operator: `{found[0]}{again[0]}`")
        self._out.append(found[0])

    def _escape(self) -> str:
        letter = self._rest[1:2]
        if letter in _SHORT and letter:
            self._take(2)
            return f"[{_SHORT[letter]}]"
        if letter in ("A", "b", "B"):
            return self._dialect.ascii.format(self._take(2))
        if letter == "z":
            self._take(2)
            return f"(?:{self._dialect.end})"
        if self._dialect.unicode_classes and (found := re.match(r"\\[pP](?:\w|\{\^?\w+\})", self._rest)):
            return self._take(found.end())
        if letter == "Q":
            quoted, _, self._rest = self._rest[2:].partition("\\E")
            return re.escape(quoted)
        return re.escape(self._character())

    def _character(self) -> str:
        """Take one character, escaped or not."""
        if self._rest[0] != "\\":
            return self._take(1)
        found = re.match(r"\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|(0[0-7]{0,2}|[1-7][0-7]{1,2}))", self._rest)
        if found is not None:
            self._take(found.end())
            return _code_point(int(found[1] or found[2], 16) if found[3] is None else int(found[3], 8))
        letter = self._rest[1:2]
        if letter in ("p", "P"):
            raise ValueError(f"Unicode classes (`\\{letter}`) are not supported here")
        if not letter:
            raise ValueError("trailing backslash at end of expression: ``")
        if letter not in _LETTERS and (letter.isalnum() or not letter.isascii()):
            raise ValueError(f"invalid escape sequence: `\\{letter}`")
        self._take(2)
        return _LETTERS.get(letter, letter)

    def _class(self) -> str:
        whole = self._rest
        self._take(1)
        negated = self._rest.startswith("^") and bool(self._take(1))
        parts: list[str] = []
        while not self._rest.startswith("]") or not parts:
            if not self._rest:
                raise ValueError(f"missing closing ]: `{whole}`")
            parts.append(self._class_item())
        self._take(1)
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _class_item(self) -> str:
        if named := re.match(r"\[:(\^?)(\w+):\]", self._rest):
            self._take(named.end())
            if named[2] not in _NAMED:
                raise ValueError(f"invalid character class range: `{named[0]}`")
            return _complement(_NAMED[named[2]]) if named[1] else _NAMED[named[2]]
        if self._rest[0] == "\\" and self._rest[1:2] in _SHORT and len(self._rest) > 1:
            return _SHORT[self._take(2)[1]]
        low = self._character()
        if not re.match(r"-[^\]]", self._rest, re.DOTALL):
            return re.escape(low)
        self._take(1)
        high = self._character()
        if high < low:
            raise ValueError(f"invalid character class range: `{low}-{high}`")
        return f"{re.escape(low)}-{re.escape(high)}"


def _code_point(number: int) -> str:
    if number > 0x10FFFF:
        raise ValueError(f"invalid escape sequence: `\\x{{{number:x}}}`")
    return chr(number)


def _complement(body: str) -> str:
    """Return a class body that matches what the given one does not: Python has no negation inside a class."""
    inside = re.compile(f"[{body}]")
    edges = [
        code for code in range(0x81) if bool(inside.match(chr(code))) != bool(code and inside.match(chr(code - 1)))
    ]
    bounds = [*([0] if not inside.match("\x00") else []), *[edge for edge in edges if edge], 0x110000]
    return "".join(
        f"{re.escape(chr(low))}-{re.escape(chr(high - 1))}"
        for low, high in zip(bounds[::2], bounds[1::2], strict=False)
    )
