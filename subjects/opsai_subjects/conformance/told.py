"""Checks of what an adapter says before any cluster is opened: each yields a sentence for everything that is not so."""

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from inspect import getdoc, iscoroutinefunction, signature

from pydantic import JsonValue

from opsai_subjects.model import clean
from opsai_subjects.promql.expression import Refused
from opsai_subjects.promql.parsing import parsed
from opsai_subjects.promql.scoping import named, names_read
from opsai_subjects.registry import GROUP
from opsai_subjects.subject import SubjectKind

ABOUT_CHARS = 1_800
"""What the server's instructions have room for."""
PROBE_CHARS = 900
"""Of a probe's docstring: it is a tool's description."""
ALWAYS_SCRAPED = ("up", "scrape_duration_seconds", "scrape_samples_scraped")
SLUG = re.compile(r"[a-z][a-z0-9_]*")
ID = re.compile(r"[\w./#-]+")
WRITES = frozenset(
    [
        "put",
        "post",
        "delete",
        "remove",
        "add",
        "create",
        "update",
        "set",
        "txn",
        "defrag",
        "defragment",
        "compact",
        "compaction",
        "move",
        "promote",
        "downgrade",
        "transfer",
        "grant",
        "revoke",
        "enable",
        "disable",
        "restart",
        "stop",
        "start",
        "drain",
        "evict",
        "split",
        "merge",
        "scatter",
        "transform",
        "snapshot",
        "lock",
        "unlock",
    ]
)
"""Last words of paths of calls that change something, or that cost a node dearly."""
NO_SUCH_PATHS = ("/", "//", "/x", "/admin/x", "/debug/pprof/profile", "/a/b/c/d/e/f", "/" + "a" * 300, "x", "")

Complaints = Iterator[str]


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _twice(what: str, names: Iterable[str]) -> Complaints:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"There are two {what} {name!r}; each has an id of its own."
        seen.add(name)


def _said(what: str, **texts: str) -> Complaints:
    for name, text in texts.items():
        if not text.strip():
            yield f"{what}: {name} is empty; a reader needs it."


def is_found(kind: SubjectKind) -> Complaints:
    """It is found by its entry point, under its own name, and says what it is."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    if not SLUG.fullmatch(kind.name):
        yield f"name {kind.name!r} is no slug (small letters, digits, _)."
    if kind.name not in points:
        yield f"No entry point {kind.name!r} in the group {GROUP!r}: is the package installed, and does its pyproject name it?"
    elif points[kind.name].load() is not kind:
        yield f"The entry point {kind.name!r} leads to another object than this kind."
    yield from _said("The kind", about=kind.about, endpoint=kind.endpoint)
    if len(kind.about) > ABOUT_CHARS:
        yield f"about has {len(kind.about):,} characters; the instructions have room for {ABOUT_CHARS:,}."
    if not kind.endpoint_roles:
        yield "endpoint_roles is empty: nobody could be asked for the nodes of a recording."


def has_invariants(kind: SubjectKind) -> Complaints:
    """Every invariant says what holds, why, and what not knowing means; what it refers to is there."""
    ids = {one.id for one in kind.invariants}
    if not ids:
        yield "There are no invariants: nothing is ever held to be wrong."
    yield from _twice("invariants", (one.id for one in kind.invariants))
    for one in kind.invariants:
        what = f"Invariant {one.id}"
        if not SLUG.fullmatch(one.id):
            yield f"{what}: its id is no slug."
        yield from _said(what, says=one.says, why=one.why, source=one.source, unknown_means=one.unknown_means)
        if one.limit is not None and not one.unit:
            yield f"{what}: it has a limit and no unit."
        if one.for_seconds < 0:
            yield f"{what}: for_seconds is below zero."
        for other in sorted(set(one.explained_by) - ids):
            yield f"{what}: explained_by names {other!r}, which is no invariant."
        if one.id in one.explained_by and len(kind.invariants) == 1:
            yield f"{what}: it can only be explained by itself."


def has_signs(kind: SubjectKind) -> Complaints:
    """Every sign says what it looks like, and the metrics that show it are there."""
    signals = {one.name for one in kind.signals}
    yield from _twice("signs", (one.id for one in kind.signs))
    for spec in kind.signs:
        yield from _said(f"Sign {spec.id}", id=spec.id, says=spec.says)
        for name in sorted(set(spec.metrics) - signals):
            yield f"Sign {spec.id}: metrics names {name!r}, which is no signal."


def has_faults(kind: SubjectKind) -> Complaints:
    """Every fault kind can be told, told apart and acted upon, by signs and kinds that are there."""
    signs, ids = {one.id for one in kind.signs}, {one.id for one in kind.faults}
    if not ids:
        yield "There are no fault kinds: nothing could ever be diagnosed."
    yield from _twice("fault kinds", (one.id for one in kind.faults))
    for one in kind.faults:
        what = f"Fault kind {one.id}"
        yield from _said(what, says=one.says, on=one.on, do=one.do, because=one.because, verify=one.verify)
        needed = (*one.must_show, *(name for group in one.one_of for name in group))
        if not needed:
            yield f"{what}: it needs no sign at all, so it would fit every entity."
        for name in sorted({*needed, *one.must_not_show, *one.must_know, *one.supports} - signs):
            yield f"{what}: it names the sign {name!r}, which is not there."
        for name in sorted({*one.must_show} & {*one.must_not_show}):
            yield f"{what}: {name!r} must show and must not show."
        for name in sorted({*one.must_know} - {*one.must_not_show}):
            yield f"{what}: must_know names {name!r}, which is none of must_not_show."
        for name in sorted({*one.rivals, *one.explains} - ids - {"*"}):
            yield f"{what}: it names the kind {name!r}, which is not there."
        if one.id in one.rivals:
            yield f"{what}: it is its own rival."
    for ident in sorted(set(kind.fault_notes) - ids):
        yield f"fault_notes has {ident!r}, which is no fault kind."


def has_signals(kind: SubjectKind) -> Complaints:
    """Every signal is PromQL with a unit, a meaning and a normal range, and its metrics are scraped where opsai scrapes by itself."""
    kept = named(frozenset((*kind.scraped, *ALWAYS_SCRAPED)))
    yield from _twice("signals", (one.name for one in kind.signals))
    for signal in kind.signals:
        what = f"Signal {signal.name}"
        if not SLUG.fullmatch(signal.name):
            yield f"{what}: its name is no slug."
        yield from _said(what, promql=signal.promql, unit=signal.unit, says=signal.says, normal=signal.normal)
        query = signal.promql.replace("$range", "1m")
        try:
            parsed(query)
        except Refused as refused:
            yield f"{what}: {query!r} is no PromQL: {refused}"
            continue
        for metric in sorted(
            name for name in names_read(query) if kind.scraped and not (kept(name) or name in kind.scraped)
        ):
            yield f"{what}: it reads {metric!r}, which is not among scraped: without a Prometheus it would always be empty."


def asks_little(kind: SubjectKind) -> Complaints:
    """It can ask whole listed paths alone; calls are fixed, each path has one, and none changes anything by its name."""
    for pattern in kind.paths:
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            yield f"paths: {pattern!r} is no regular expression: {error}."
            continue
        wide = [path for path in NO_SUCH_PATHS if compiled.fullmatch(path)]
        if wide:
            yield f"paths: {pattern!r} also matches {wide[0]!r}; list the paths that are needed."
    yield from _twice("calls of the path", (rpc.path for rpc in kind.rpcs))
    for rpc in kind.rpcs:
        if not re.fullmatch(r"(?:/[A-Za-z0-9_.-]+)+", rpc.path) or ".." in rpc.path:
            yield f"rpcs: {rpc.path!r} is no plain whole path."
        if WRITES & set(re.split(r"[/_.-]", rpc.path.lower())):
            yield f"rpcs: {rpc.path!r} says by its name that it changes something."
        if any(re.fullmatch(pattern, rpc.path) for pattern in kind.paths):
            yield f"rpcs: {rpc.path!r} is among paths too; a call's path is asked in no other way, recordings count on it."


def is_recorded(kind: SubjectKind) -> Complaints:
    """What a recording keeps of each role may be asked, and nothing is asked twice."""
    for role in sorted(set(kind.endpoint_roles) - set(kind.polled)):
        yield f"polled has nothing for the role {role!r}, which the endpoints have: no recording could be replayed."
    for role, polls in kind.polled.items():
        yield from _twice(f"polls of {role}", (f"{one.path} {'local' if one.local else ''}".strip() for one in polls))
        for one in polls:
            path = one.path.partition("?")[0]
            if one.rpc is not None and (one.rpc not in kind.rpcs or one.rpc.path != one.path):
                yield f"polled, {role}: {one.path!r} is asked by a call that is not among rpcs, or of another path."
            if one.rpc is None and not any(re.fullmatch(pattern, path) for pattern in kind.paths):
                yield f"polled, {role}: {path!r} is not among paths."
            if one.local and not kind.local_headers:
                yield f"polled, {role}: {path!r} is asked for the node's own view, and local_headers is empty."
            if one.every_seconds < 1:
                yield f"polled, {role}: {path!r} every {one.every_seconds:g} s; once a second is the most."


def gives_examples(kind: SubjectKind) -> Complaints:
    """What tools show for an example is there."""
    shown = kind.examples
    for what, name, known in (
        ("invariant", shown.invariant, {one.id for one in kind.invariants}),
        ("fault", shown.fault, {one.id for one in kind.faults}),
        ("topic", shown.topic, {one.topic for one in kind.signals} | {""}),
        ("bug", shown.bug, {one.id for one in kind.known_bugs} | {""}),
    ):
        if name not in known:
            yield f"examples: the {what} {name!r} is not there. Known: {', '.join(sorted(known)[:8])}."
    yield from _said("examples", entity=shown.entity, node=shown.node, entities=shown.entities)
    for role in sorted(set(shown.roles) - set(kind.polled) - set(kind.endpoint_roles)):
        yield f"examples: {role!r} is no role that is known."
    for word in kind.parts:
        if not re.fullmatch(r"[a-z]+", word):
            yield f"parts: {word!r} is no word in small letters, in the singular."


def knows_pages(kind: SubjectKind) -> Complaints:
    """Every page and known bug has an id, a text and what it refers to."""
    yield from _twice("pages", (page.id for page in kind.knowledge))
    for page in kind.knowledge:
        yield from _said(f"Page {page.id}", title=page.title, text=page.text)
        if not ID.fullmatch(page.id):
            yield f"Page {page.id!r}: its id has other characters than letters, digits and ._/#-."
    faults = {one.id for one in kind.faults}
    yield from _twice("known bugs", (bug.id for bug in kind.known_bugs))
    for bug in kind.known_bugs:
        yield from _said(f"Bug {bug.id}", id=bug.id, says=bug.says, source=bug.source)
        for name in sorted(set(bug.kinds) - faults):
            yield f"Bug {bug.id}: it names the fault kind {name!r}, which is not there."


def is_plain_text(kind: SubjectKind) -> Complaints:
    """No text of it holds control or direction characters: models and terminals read them."""
    values = (*kind.invariants, *kind.signs, *kind.faults, *kind.signals)
    for text in (kind.about, *(text for value in values for text in _strings(value.model_dump(mode="json")))):
        if clean(text, len(text) + 1) != text.replace("\n", " ").replace("\t", " "):
            yield f"A text holds control or direction characters: {clean(text, 120)!r}."


def asks_probes(kind: SubjectKind) -> Complaints:
    """Every probe is an async function of a visit whose docstring is a tool's description."""
    for probe in kind.probes:
        name = getattr(probe, "__name__", repr(probe))
        described = getdoc(probe) or ""
        if not iscoroutinefunction(probe):
            yield f"Probe {name}: it is no async function."
        if next(iter(signature(probe).parameters), "") != "visit":
            yield f"Probe {name}: its first parameter is not `visit`."
        for parameter in list(signature(probe).parameters.values())[1:]:
            if parameter.annotation is parameter.empty or parameter.default is parameter.empty:
                yield f"Probe {name}: {parameter.name} has no annotation or no default."
        if not described.strip() or len(described) > PROBE_CHARS:
            yield f"Probe {name}: its docstring has {len(described)} characters; a description has 1 to {PROBE_CHARS}."


CHECKS: tuple[Callable[[SubjectKind], Complaints], ...] = (
    is_found,
    has_invariants,
    has_signs,
    has_faults,
    has_signals,
    asks_little,
    is_recorded,
    gives_examples,
    knows_pages,
    is_plain_text,
    asks_probes,
)
