"""Filling the texts of a blueprint: `{name}` and nothing cleverer."""

from collections.abc import Mapping
from string import Formatter

from opsai_lab.errors import BlueprintInvalid


def filled_in(text: str, values: Mapping[str, str | int], where: str) -> str:
    """Return the text with each `{word}` filled in; `{{` and `}}` are braces. `where` names the text in a message.

    Raises BlueprintInvalid for a word that has no value, for formats (`{port:x}`) and for broken braces.
    """
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BlueprintInvalid(f"{where}: {text!r} cannot be filled in: {error}.") from error
    return "".join(
        literal + _value(field, spec, conversion, values, where) for literal, field, spec, conversion in parts
    )


def _value(
    field: str | None, spec: str | None, conversion: str | None, values: Mapping[str, str | int], where: str
) -> str:
    if field is None:
        return ""
    if field not in values or spec or conversion:
        written = f"{field}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
        raise BlueprintInvalid(
            f"{where}: {{{written}}} is no placeholder here. Known: {', '.join(f'{{{name}}}' for name in sorted(values))}."
        )
    return str(values[field])
