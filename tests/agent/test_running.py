"""What is chosen before anything starts: backend, model, limits."""

from dataclasses import replace
from pathlib import Path

import pytest

from opsai_agent.errors import FileUnusable, ModelUnavailable
from opsai_agent.rules import NAME
from opsai_agent.running import Wish, prepared
from opsai_subjects.errors import SettingsInvalid

pytestmark = pytest.mark.anyio
KEYED = {"ANTHROPIC_API_KEY": "sk-ant-stub-0123456789", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def _nothing_of_the_testers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


async def test_without_a_key_it_is_the_rules_and_it_says_why() -> None:
    async with prepared(Wish(environment={})) as chosen:
        assert chosen.backend.name == NAME
        assert chosen.says == "ANTHROPIC_API_KEY is not set: investigating by rules (no model)."


async def test_with_a_key_it_is_claude() -> None:
    async with prepared(Wish(environment=KEYED)) as chosen:
        assert chosen.backend.name == "claude-opus-5-5"
        assert chosen.says == "Investigating with claude-opus-5-5."


async def test_the_rules_may_be_chosen_though_there_is_a_key() -> None:
    async with prepared(Wish(backend="rules", environment=KEYED)) as chosen:
        assert chosen.backend.name == NAME


async def test_claude_without_a_key_is_an_error_that_says_what_to_set() -> None:
    with pytest.raises(ModelUnavailable, match=r"There is no key for Claude: ANTHROPIC_API_KEY is not set"):
        async with prepared(Wish(backend="claude", environment={})):
            pass


async def test_a_model_without_a_known_price_is_said_to_have_none() -> None:
    async with prepared(Wish(model="claude-of-next-year", environment=KEYED)) as chosen:
        assert chosen.says == (
            "Investigating with claude-of-next-year. Its price is not in the list (as of 2026-11-23): "
            "the dollar limit does not hold."
        )


async def test_limits_come_from_the_settings_and_flags_go_over_them(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[agent]\nmodel = "claude-sonnet-5-5"\nmax_steps = 7\nmax_usd = 0.5\n', encoding="utf-8")
    wish = Wish(config=file, max_usd=0.25, environment=KEYED)

    async with prepared(wish) as chosen:
        assert chosen.backend.name == "claude-sonnet-5-5"
        assert (chosen.limits.steps, chosen.limits.usd) == (7, 0.25)


async def test_a_settings_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[agent]\nmax_steps = 'many'\n", encoding="utf-8")

    with pytest.raises(SettingsInvalid, match=r"mine\.toml"):
        async with prepared(Wish(config=file, environment={})):
            pass


async def test_a_price_list_that_is_wrong_is_named(tmp_path: Path) -> None:
    wish = Wish(environment=KEYED)

    with pytest.raises(FileUnusable, match=r"none\.toml"):
        async with prepared(replace(wish, prices=tmp_path / "none.toml")):
            pass
