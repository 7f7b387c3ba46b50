"""Secrets are taken out of answers before they are written down, and nothing else is touched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.recording.secrets import MASK, masked

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["level", "size", "path", "a b"]), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "name", ["secret-access-key", "client-secret", "sharedKey-shared-key", "password", "bearer_token", "SSL-Password"]
)
def test_the_value_of_a_member_named_like_a_secret_is_masked(name: str) -> None:
    answer = json.loads(masked(json.dumps({"a": {name: 'hun"ter\\2', "level": "info"}, "n": 1})))

    assert answer == {"a": {name: MASK, "level": "info"}, "n": 1}


def test_a_user_and_password_in_a_url_are_masked_and_its_host_stays() -> None:
    assert masked('{"proxy":"http://me:hunter2@proxy:80/"}') == f'{{"proxy":"http://{MASK}@proxy:80/"}}'


def test_an_empty_secret_and_one_that_is_no_text_stay_as_they_are() -> None:
    body = '{"password": "", "token-count": 3, "secret": null}'

    assert masked(body) == body


@given(JSON)
def test_an_answer_without_a_secret_stays_byte_for_byte(value: object) -> None:
    body = json.dumps({"config": value}, ensure_ascii=False)
    if "@" not in body:
        assert masked(body) == body


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(masked(text), str)
