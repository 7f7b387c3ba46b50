"""Prices: a dated list, laid over by the user's, and no guess for what is in neither."""

from pathlib import Path

import pytest

from opsai_agent.errors import FileUnusable
from opsai_agent.prices import Price, Tokens, load_prices


@pytest.fixture(autouse=True)
def _no_list_of_the_tester(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_each_kind_of_token_has_its_price() -> None:
    price = Price(input=4.0, output=20.0, cache_write_5m=5.0, cache_write_1h=8.0, cache_read=0.2)

    usd = price.usd(
        Tokens(input=1_000_000, output=100_000, cache_write_5m=10_000, cache_write_1h=10_000, cache_read=1_000_000)
    )

    assert usd == pytest.approx(4.0 + 2.0 + 0.05 + 0.08 + 0.2)


def test_a_price_that_is_not_known_gives_no_figure() -> None:
    price = Price(input=1.0, output=2.0)

    assert price.usd(Tokens(input=10, output=10)) == pytest.approx(30e-6)
    assert price.usd(Tokens(input=10, output=10, cache_read=1)) is None


def test_a_long_prompt_costs_what_long_prompts_cost() -> None:
    price = Price(input=0.1, output=0.5, long_prompt_tokens=100_000, long_input=0.5, long_output=2.5)

    assert price.usd(Tokens(input=100_000)) == pytest.approx(0.01)
    assert price.usd(Tokens(input=100_001, output=1_000_000)) == pytest.approx(0.0500005 + 2.5)


def test_the_list_that_ships_is_dated_and_knows_the_default_model() -> None:
    prices = load_prices()

    assert prices.as_of == "2026-11-23"
    assert prices.of("claude-opus-5-5") == Price(input=4, output=20, cache_write_5m=5, cache_write_1h=8, cache_read=0.2)
    assert prices.of("claude-opus-5-5-20260901") == prices.of("claude-opus-5-5")
    assert prices.of("claude-of-next-year") is None


def test_a_list_of_ones_own_is_laid_over_it(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('as_of = "2027-01-01"\n[models.claude-of-next-year]\ninput = 1\noutput = 2\n', encoding="utf-8")

    prices = load_prices(own)

    assert prices.as_of == "2027-01-01"
    assert prices.of("claude-of-next-year") == Price(input=1, output=2)
    assert prices.of("claude-opus-5-5") is not None


def test_the_list_in_the_configuration_folder_counts_without_being_named(tmp_path: Path) -> None:
    own = tmp_path / "config" / "opsai" / "prices.toml"
    own.parent.mkdir(parents=True)
    own.write_text('as_of = "2027-01-01"\n[models.x]\ninput = 1\noutput = 2\n', encoding="utf-8")

    assert load_prices().of("x") == Price(input=1, output=2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("as_of = ", "is not TOML"),
        ("as_of = '2027-01-01'\n[models.x]\ninput = -1\noutput = 1\n", r"models\.x\.input: Input should be greater"),
        ("as_of = '2027-01-01'\n[models.x]\nin = 1\n", r"models\.x\.input: Field required"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(text, encoding="utf-8")

    with pytest.raises(FileUnusable, match=f"mine.toml.*{says}"):
        load_prices(own)


def test_a_list_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="No such file"):
        load_prices(tmp_path / "none.toml")
