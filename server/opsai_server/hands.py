"""Hands: what a recommended action, in its own words, would lay hands on. Pure.

Nothing here carries an action out. The words are read only to hold an investigator to what `touches` admits to, because
`restart`, `stop` and `remove` are accepted only where the quorum is known to be safe.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

RISKY = frozenset({"restart", "stop", "remove"})

_ALWAYS = (
    r"restart(?:s|ed|ing)?|reboot(?:s|ed|ing)?|tombston(?:e|es|ed|ing)|"
    r"decommission(?:s|ed|ing)?|shut(?:s|ting)?\s+(?:\S+\s+){0,3}?down|power(?:s|ed|ing)?\s+(?:\S+\s+){0,3}?off|"
    r"scal(?:e|es|ed|ing)\s+(?:\S+\s+){0,3}?in\b|destroy(?:s|ed|ing)?|wip(?:e|es|ed|ing)"
)
_CLAUSE = re.compile(r"[.;!?\n](?:\s|$)")
_ALWAYS_FOUND = re.compile(rf"\b(?:{_ALWAYS})\b", re.IGNORECASE)

_HARMLESS = re.compile(
    r"\b(?:schedulers?|rules?|settings?|config\w*|limits?|labels?|load|traffic|workloads?|jobs?|quer(?:y|ies)|clients?|"
    r"requests?|scans?|imports?|backups?|tests?|benchmarks?|throttl\w*|delays?|firewalls?|(?:log\s+)?files?|logs?|"
    r"snapshots?|disks?|devices?|volumes?|cables?|certificates?|locks?|quotas?|pauses?|writ(?:es|ing)|read(?:s|ing)|"
    r"session|transactions?|hot\s*spots?)\b",
    re.IGNORECASE,
)


class _Words(NamedTuple):
    """What tells a verb that lays hands on something, and its object, in a system of such parts."""

    negated: re.Pattern[str]
    reported: re.Pattern[str]
    by_object: re.Pattern[str]
    part: re.Pattern[str]


@lru_cache(maxsize=8)
def _words(parts: tuple[str, ...]) -> _Words:
    own = "".join(f"|{re.escape(word)}" for word in parts)
    ended = f"(?:node|member|process|instance|server{own})"
    by_object = (
        r"stop(?:s|ped|ping)?|kill(?:s|ed|ing)?|terminat(?:e|es|ed|ing)|remov(?:e|es|ed|ing)|delet(?:e|es|ed|ing)|"
        r"replac(?:e|es|ed|ing)|rebuild(?:s|ing)?|rebuilt|recreat(?:e|es|ed|ing)|"
        r"tak(?:e|es|ing)\s+(?:\S+\s+){0,3}?(?:down|out)|"
        rf"end(?:s|ing)?(?=\s+(?:it|them|(?:the|this|that)\s+(?:\w+\s+)?{ended})\b)"
    )
    verb = rf"\b(?:{_ALWAYS}|{by_object})\b"
    return _Words(
        negated=re.compile(
            rf"(?:\b(?:not|never|without|avoid|instead\s+of|rather\s+than|no\s+need\s+to)|n[’']t)\s+"
            rf"(?:(?:to|be|ever|even|yet|try\s+to)\s+)?{verb}(?:[\s,]+(?:(?:or|nor|and)\s+)?{verb})*",
            re.IGNORECASE,
        ),
        reported=re.compile(
            rf"\b(?:is|was|are|were|has|had|have|got|what|who|whatever|whoever)\s+(?:been\s+)?(?:\w+ly\s+)?{verb}",
            re.IGNORECASE,
        ),
        by_object=re.compile(rf"\b(?:{by_object})\b", re.IGNORECASE),
        part=re.compile(
            r"\b(?:nodes?|process(?:es)?|members?|instances?|servers?|machines?|hosts?|pods?|containers?|services?|"
            rf"daemons?|replicas?|cluster|it|them{''.join(f'|{re.escape(word)}s?' for word in parts)})\b(?![’']s)",
            re.IGNORECASE,
        ),
    )


def risky_clauses(text: str, names: Iterable[str], parts: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    """Return the clauses that would stop, restart or remove a part, each with the word that says so.

    What is advised against or only reported does not count; neither does stopping or removing a load, a job, a rule, a
    setting. In doubt a clause counts: the investigator is then asked to say it plainly. `names` are the parts' own names,
    `parts` the words for them in such a system.
    """
    words, part = _words(parts), _named(names)
    found: list[tuple[str, str]] = []
    for clause in _CLAUSE.split(text):
        said = words.reported.sub(" ", words.negated.sub(" ", clause))
        word = _ALWAYS_FOUND.search(said) or next(
            (verb for verb in words.by_object.finditer(said) if _lays_hands(said[verb.end() :], (words.part, part))),
            None,
        )
        if word is not None:
            found.append((said.strip(), word.group(0)))
    return tuple(found)


def named_in(text: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return which of the names stand in a text as whole words."""
    return tuple(name for name in names if name and re.search(rf"(?<![\w:.-]){re.escape(name)}(?![\w:-])", text))


def _named(names: Iterable[str]) -> re.Pattern[str] | None:
    listed = "|".join(re.escape(name) for name in names if name)
    return re.compile(rf"(?<![\w:.-])(?:{listed})(?![\w:-]|[’']s)") if listed else None


def _lays_hands(rest: str, objects: tuple[re.Pattern[str] | None, ...]) -> bool:
    """Say whether the object of a verb, what stands first after it, is a part and not something harmless."""
    parts = [found.start() for part in objects if part and (found := part.search(rest))]
    harmless = _HARMLESS.search(rest)
    return harmless is None or any(start < harmless.start() for start in parts)
