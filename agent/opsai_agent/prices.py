"""What a model's tokens cost, from a dated list that the user can lay one of their own over."""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from opsai_agent.errors import FileUnusable

FILE_NAME = "prices.toml"
MILLION = 1_000_000
_DATED = re.compile(r"-20\d{6}$")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one answer, as the service counts them."""

    input: int = 0
    """Neither read from the cache nor written to it."""
    output: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0


class Price(BaseModel):
    """Dollars for a million tokens of one model; None where not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_write_5m: float | None = Field(default=None, ge=0)
    cache_write_1h: float | None = Field(default=None, ge=0)
    cache_read: float | None = Field(default=None, ge=0)
    long_prompt_tokens: int | None = None
    """A prompt with more tokens than this costs `long_input` and `long_output`."""
    long_input: float | None = Field(default=None, ge=0)
    long_output: float | None = Field(default=None, ge=0)

    def usd(self, tokens: Tokens) -> float | None:
        """Return what the tokens cost, None when the price of some of them is not known."""
        prompt = tokens.input + tokens.cache_write_5m + tokens.cache_write_1h + tokens.cache_read
        long = self.long_prompt_tokens is not None and prompt > self.long_prompt_tokens
        rows: list[tuple[int, float | None]] = [
            (tokens.input, self.long_input if long else self.input),
            (tokens.output, self.long_output if long else self.output),
            (tokens.cache_write_5m, None if long else self.cache_write_5m),
            (tokens.cache_write_1h, None if long else self.cache_write_1h),
            (tokens.cache_read, None if long else self.cache_read),
        ]
        total = 0.0
        for count, price in rows:
            if count and price is None:
                return None
            total += count * (price or 0.0)
        return total / MILLION


class Prices(BaseModel):
    """A price list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: str
    models: dict[str, Price]

    def of(self, model: str) -> Price | None:
        """Return the price of a model, by its id or its id without a trailing date; None when it is not known."""
        return self.models.get(model) or self.models.get(_DATED.sub("", model))


def load_prices(own: Path | None = None) -> Prices:
    """Return our list with the user's laid over it: the file given, else the one in the configuration folder.

    Raises FileUnusable naming the file and what is wrong with it.
    """
    shipped = _read(files("opsai_agent").joinpath(FILE_NAME).read_text(encoding="utf-8"), FILE_NAME)
    path = own or Path(platformdirs.user_config_path("opsai")) / FILE_NAME
    if own is None and not path.is_file():
        return shipped
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnusable(f"The price list {str(path)!r} cannot be read: {error}.") from error
    over = _read(text, str(path))
    return Prices(as_of=over.as_of, models={**shipped.models, **over.models})


def _read(text: str, name: str) -> Prices:
    try:
        return Prices.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FileUnusable(f"The price list {name!r} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise FileUnusable(f"The price list {name!r} cannot be used: {place}: {first['msg']}.") from error
