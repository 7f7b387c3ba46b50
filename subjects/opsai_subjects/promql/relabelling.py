"""`label_replace` and `label_join`: the values stay, the labels change."""

from collections.abc import Sequence

from opsai_subjects.promql.expression import Refused
from opsai_subjects.promql.grid import Grid
from opsai_subjects.promql.labels import get, put
from opsai_subjects.promql.patterns import capturing, expanded


def label_replace(grid: Grid, target: str, template: str, source: str, pattern: str) -> Grid:
    """Set a label to the template filled from a match on another one; labels that do not match stay."""
    try:
        groups = capturing(pattern)
    except ValueError as error:
        raise Refused(f"invalid regular expression in label_replace(): {pattern}") from error
    if not target:
        raise Refused(f"invalid destination label name in label_replace(): {target}")
    made = [
        labels if match is None else put(labels, [(target, expanded(template, match))])
        for labels in grid.labels
        for match in (groups(get(labels, source)),)
    ]
    return Grid(made, grid.values, grid.present).merged()


def label_join(grid: Grid, target: str, separator: str, sources: Sequence[str]) -> Grid:
    """Set a label to the values of others, joined."""
    if not all(sources):
        raise Refused("invalid source label name in label_join(): ")
    if not target:
        raise Refused(f"invalid destination label name in label_join(): {target}")
    made = [
        put(labels, [(target, separator.join(get(labels, source) for source in sources))]) for labels in grid.labels
    ]
    return Grid(made, grid.values, grid.present).merged()
