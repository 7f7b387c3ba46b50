"""A token is read from where it was put, wins in order, and is never what stands in an error."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from opsai_server.http_token import bearer_token
from opsai_server.listening import Address, parse_address
from opsai_subjects.config import Settings, load
from opsai_subjects.errors import SettingsInvalid

HERE = Address("127.0.0.1", 0)
THERE = Address("0.0.0.0", 0)
GOOD = "canary.d41d8cd98f00b204~e9800998ecf8427e="


def shown(token: SecretStr | None) -> str | None:
    return None if token is None else token.get_secret_value()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_at_loopback_none_is_needed(host: str) -> None:
    assert bearer_token(Address(host, 0), None, Settings()) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "2001:db8::1", "opsai.example"])
def test_anywhere_else_it_does_not_go_without(host: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"Whoever reaches .* Give --token-file FILE or set OPSAI_HTTP_TOKEN"):
        bearer_token(Address(host, 0), None, Settings())


def test_the_flags_file_wins_over_the_environment_and_that_over_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flag", "settings"):
        (tmp_path / name).write_text(f"  {GOOD}{name}\n".replace("=", "-"), encoding="utf-8")
    (tmp_path / "opsai.toml").write_text('http_token_file = "settings"\n', encoding="utf-8")
    of_file = load(tmp_path / "opsai.toml")
    monkeypatch.setenv("OPSAI_HTTP_TOKEN", GOOD)
    of_both = load(tmp_path / "opsai.toml")

    assert str(shown(bearer_token(THERE, None, of_file))).endswith("settings")
    assert shown(bearer_token(THERE, None, of_both)) == GOOD
    assert str(shown(bearer_token(HERE, tmp_path / "flag", of_both))).endswith("flag")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"canary-short", b"canary with words in it", b"canary\xff" * 9, b"canary:" * 9]
)
def test_what_is_no_token_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)

    with pytest.raises(SettingsInvalid, match="holds no token: at least 16 characters") as raised:
        bearer_token(HERE, path, Settings())

    assert "canary" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"--token-file '.*missing' cannot be read: No such file"):
        bearer_token(HERE, tmp_path / "missing", Settings())


@pytest.mark.parametrize(
    "text", ["", "8765", ":8765", "localhost", "localhost:", "::1:8765", "[::1]", "a:b", "a:65536", "a:-1"]
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"is not HOST:PORT\. Try 127\.0\.0\.1:8765; \[::1\]:8765 for IPv6"):
        parse_address(text, "--http")


def test_an_address_is_read_with_its_brackets_taken_off() -> None:
    assert parse_address("[::1]:8765", "--http") == Address("::1", 8765)
    assert parse_address("0.0.0.0:0", "--http") == Address("0.0.0.0", 0)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)])
def test_a_token_file_that_anybody_may_read_is_warned_of_and_its_token_is_not_shown(
    tmp_path: Path, mode: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(mode)

    bearer_token(Address("127.0.0.1", 0), file, Settings())

    assert ("token_file_open_to_others" in caplog.text) == warned
    assert GOOD not in caplog.text
