"""An answer read as the shape it should have."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from opsai_subjects.errors import SourceMalformed
from opsai_subjects.foreign import quoted
from opsai_subjects.model import clean
from opsai_subjects.sources.web import WebReply

Shape = TypeVar("Shape", bound=BaseModel)


def shaped(reply: WebReply, shape: type[Shape], whose: str) -> Shape:
    """Return the answer as that shape; members it does not name are let be. Raises SourceMalformed saying what is wrong."""
    body = reply.json()
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise SourceMalformed(
            reply.asked,
            reply.of,
            f"HTTP {reply.status}, not what {whose} answers ({clean(place, 100)}: {clean(first['msg'], 200)}): "
            f"{quoted(reply.text, 500)}",
            f"check that the address is that of {whose}",
        ) from error
