"""What plain text a regular expression cannot match without: that is looked for first, since nothing finds text faster."""

LEAST_CHARS = 3
"""A shorter text stands nearly everywhere and saves nothing."""
_PLAIN_ESCAPES = frozenset("dDwWsSbBAzntrfva")
"""After a backslash these stand for something else than themselves, and nothing that follows belongs to them."""


def needed(regex: str) -> tuple[str, ...]:
    """Return texts of which at least one stands in whatever the expression matches; none when that cannot be told."""
    branches = _branches(regex)
    if branches is None:
        return ()
    longest = [max(runs, key=len, default="") for runs in branches]
    return tuple(longest) if all(len(text) >= LEAST_CHARS for text in longest) else ()


def _branches(regex: str) -> list[list[str]] | None:
    """Return the runs of literal characters of each branch outside of groups; None where the syntax is not followed."""
    branches: list[list[str]] = [[]]
    run = ""
    at = 0
    while at < len(regex):
        char = regex[at]
        literal, after = _literal(regex, at)
        if after is None:
            return None
        at = after
        if literal:
            run += literal
            continue
        # What may stand no time at all is not needed: its last character goes.
        branches[-1].append(run[:-1] if char in "*?{" else run)
        run = ""
        if char == "|":
            branches.append([])
    branches[-1].append(run)
    return branches


def _literal(regex: str, at: int) -> tuple[str, int | None]:
    """Return the literal character that stands there, or nothing, and where what stands there ends (None: unknown)."""
    char = regex[at]
    if char == "\\":
        return _escape(regex, at)
    if char == "(":
        return "", _after_group(regex, at)
    if char == "[":
        return "", _after_class(regex, at)
    if char == "{":
        end = regex.find("}", at)
        return "", end + 1 if end > 0 else None
    if char in ".^$*+?|)":
        return "", at + 1
    return (char, at + 1) if char.isascii() and char.isprintable() else ("", at + 1)


def _escape(regex: str, at: int) -> tuple[str, int | None]:
    escaped = regex[at + 1 : at + 2]
    if not escaped or (escaped.isalnum() and escaped not in _PLAIN_ESCAPES):
        return "", None
    return ("" if escaped.isalnum() or not escaped.isascii() else escaped), at + 2


def _after_class(regex: str, at: int) -> int | None:
    at += 1
    if regex[at : at + 1] == "^":
        at += 1
    if regex[at : at + 1] == "]":
        at += 1
    while at < len(regex) and regex[at] != "]":
        if regex[at] == "[":
            return None  # a class in a class
        at += 2 if regex[at] == "\\" else 1
    return at + 1


def _after_group(regex: str, at: int) -> int | None:
    if regex[at + 1 : at + 2] == "?" and regex[at + 2 : at + 3] not in (":", "P", "<"):
        return None  # a flag, which may change what a letter means
    at += 1
    while at < len(regex) and regex[at] != ")":
        if regex[at] in "([":
            after = _after_group(regex, at) if regex[at] == "(" else _after_class(regex, at)
            if after is None:
                return None
            at = after
        else:
            at += 2 if regex[at] == "\\" else 1
    return at + 1
