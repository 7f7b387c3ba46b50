"""The shapes of PD's JSON: unknown fields are let be, null and absent are proto3's zero, ids become strings."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from opsai_subjects.foreign import name_of
from opsai_tikv.pd.go_values import MAX_UINT64, size_bytes


def as_id(value: object) -> str:
    """Return an id as text; null is the empty one. Raises ValueError."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_UINT64:
        return str(value)
    if isinstance(value, str) and value.isascii() and (value == "" or value.isdigit()):
        return value
    raise ValueError(f"{str(value)[:80]!r} is not an id")


def as_bytes(value: object) -> object:
    """Return a size in bytes; a number is one already. Raises ValueError."""
    return size_bytes(value) if isinstance(value, str) else value


def or_empty_text(value: object) -> object:
    """Return the value, for null the empty text."""
    return "" if value is None else value


def as_name(value: object) -> object:
    """Return what somebody called a thing, quoted where it is no plain name; null is the empty one."""
    return name_of(value) if isinstance(value, str) else or_empty_text(value)


def or_empty_list(value: object) -> object:
    """Return the value, for null (how Go writes an empty slice) the empty list."""
    return [] if value is None else value


def or_empty_map(value: object) -> object:
    """Return the value, for null the empty map."""
    return {} if value is None else value


def as_hex(value: object) -> str:
    """Return a key as PD prints it, hexadecimal; null is the empty one. Raises ValueError."""
    if value is None:
        return ""
    if isinstance(value, str):
        bytes.fromhex(value)
        return value
    raise ValueError(f"{str(value)[:80]!r} is not a key")


Id = Annotated[str, BeforeValidator(as_id)]
Text = Annotated[str, BeforeValidator(or_empty_text)]
Hex = Annotated[str, BeforeValidator(as_hex)]
Name = Annotated[str, BeforeValidator(as_name)]
Names = Annotated[tuple[Name, ...], BeforeValidator(or_empty_list)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Bytes = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(as_bytes)]
PerStore = Annotated[dict[Id, Finite], BeforeValidator(or_empty_map)]


class Json(BaseModel):
    """A piece of PD's JSON, of which only the named fields matter."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
