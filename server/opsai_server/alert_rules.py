"""The alert rules of Prometheus that say what a subject's invariants say: one an invariant, and two about our own sight.

They stand on what `opsai-watch --metrics` tells. Pure: the same invariants give the same text.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from opsai_server.watch_metrics import LATE_INTERVALS
from opsai_subjects.invariant import Invariant

KEEP_FIRING_SECONDS = 60
"""An alert goes on for so long after its violation was last seen: as a ticket is held before it is resolved, so that one
look that could not say, or one scrape that failed, ends nothing."""
UNSEEN_SECONDS = 900
"""So long a verdict may be unknown before somebody is told."""
GONE = "6h"
"""How far back a watcher that tells nothing any more is remembered by name."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alerting rule."""

    alert: str
    expr: str
    for_seconds: float
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    keep_firing_seconds: float = 0.0


def alert_rules(subject: str, invariants: Iterable[Invariant]) -> tuple[AlertRule, ...]:
    """Return the rules for the invariants of a subject, with the holding times that the invariants have by default."""
    return (*(_of(subject, one) for one in invariants), _late(subject), _unseen(subject))


def rules_text(subject: str, rules: Iterable[AlertRule]) -> str:
    """Return a rules file: YAML, its texts written as JSON, which YAML reads as they are."""
    head = (
        f"# Alerts on the invariants of {subject}, as opsai-watch --metrics tells them.\n"
        f"# Written by `opsai rules --subject {subject}`: write it anew rather than editing it.\n"
        f"groups:\n  - name: {json.dumps(f'opsai-{subject}')}\n    rules:\n"
    )
    return head + "".join(line + "\n" for rule in rules for line in _lines(rule))


def _of(subject: str, one: Invariant) -> AlertRule:
    seen = f'opsai_invariant{{subject="{subject}",invariant="{one.id}",verdict="violated"}}'
    return AlertRule(
        alert=f"Opsai{_camel(one.id)}",
        # Two watchers may tell the same of one cluster; it is one alert.
        expr=f"max by (cluster, entity) ({seen}) > 0",
        for_seconds=one.for_seconds,
        keep_firing_seconds=KEEP_FIRING_SECONDS,
        labels={"severity": one.severity, "subject": subject, "invariant": one.id, "grade": one.grade},
        annotations={
            "summary": f"{{{{ $labels.entity }}}} of {{{{ $labels.cluster }}}}: not so: {_escaped(one.says)}",
            "description": _escaped(one.why),
            "runbook": f"Ask opsai-mcp: knowledge {one.id}; then differential, and tickets of {{{{ $labels.cluster }}}}.",
        },
    )


def _late(subject: str) -> AlertRule:
    last, every = (
        f'max by (cluster) (last_over_time({name}{{subject="{subject}"}}[{GONE}]))'
        for name in ("opsai_watch_last_tick_timestamp_seconds", "opsai_watch_interval_seconds")
    )
    never = f'absent_over_time(opsai_watch_last_tick_timestamp_seconds{{subject="{subject}"}}[{GONE}])'
    return AlertRule(
        alert="OpsaiWatcherLate",
        expr=f"time() - {last} > {LATE_INTERVALS:g} * {every} or {never}",
        for_seconds=60,
        labels={"severity": "critical", "subject": subject, "grade": "sight"},
        annotations={
            "summary": "{{ $labels.cluster }}: opsai-watch has not looked for more than three intervals, or is gone.",
            "description": "Nobody judges the invariants now: no ticket and no other alert of this file can be raised. "
            "A cluster without such an alert is not known to be well.",
            "runbook": "See /healthz and the log of opsai-watch, and whether Prometheus can scrape it.",
        },
    )


def _unseen(subject: str) -> AlertRule:
    unknown = f'opsai_invariant_entities{{subject="{subject}",verdict="unknown"}}'
    return AlertRule(
        alert="OpsaiCannotSee",
        expr=f"max by (cluster) (sum by (cluster, instance) ({unknown})) > 0",
        for_seconds=UNSEEN_SECONDS,
        labels={"severity": "warning", "subject": subject, "grade": "sight"},
        annotations={
            "summary": "{{ $labels.cluster }}: {{ $value }} verdicts have been unknown for a quarter of an hour.",
            "description": "What is unknown is not held: something may be wrong there that nobody would be told of.",
            "runbook": "Run opsai check: it names each source that cannot be read, and what to set.",
        },
    )


def _lines(rule: AlertRule) -> Iterator[str]:
    yield f"      - alert: {json.dumps(rule.alert)}"
    quoted = rule.expr.replace("'", "''")
    yield f"        expr: '{quoted}'"
    yield f"        for: {_span(rule.for_seconds)}"
    if rule.keep_firing_seconds:
        yield f"        keep_firing_for: {_span(rule.keep_firing_seconds)}"
    for name, table in (("labels", rule.labels), ("annotations", rule.annotations)):
        yield f"        {name}:"
        for key, text in table.items():
            yield f"          {key}: {json.dumps(text, ensure_ascii=False)}"


def _camel(ident: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in ident.split("_"))


def _escaped(text: str) -> str:
    """Return text that a template shows as it is."""
    return text.replace("{{", '{{ "{{" }}')


def _span(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 1000}s" if whole % 1000 == 0 else f"{whole}ms"
