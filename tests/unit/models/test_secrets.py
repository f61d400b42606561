import copy
import pickle

import pytest

from evalwright.core.errors import ConfigError
from evalwright.models.secrets import (
    Secret,
    expand_public,
    find_secrets,
    looks_like_secret,
    redact,
    resolve_secret,
    resolve_text,
    secret_in_field,
)

KEY = "sk-proj-" + "a1B2c3D4" * 4


def test_a_reference_is_read_from_the_environment():
    secret = resolve_secret("${OPENAI_API_KEY}", {"OPENAI_API_KEY": f"{KEY}\n"})
    assert secret.reveal() == KEY
    assert resolve_secret("Bearer ${T}", {"T": "abc"}).reveal() == "Bearer abc"


def test_a_secret_is_never_shown_nor_pickled():
    secret = Secret(KEY, "${K}")
    assert KEY not in f"{secret!r} {secret} {[secret]}"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            leak(secret)


def test_a_literal_key_is_refused_with_the_remedy_and_without_the_key():
    with pytest.raises(ConfigError) as raised:
        resolve_secret(KEY, {}, key="api_key")
    assert "${API_KEY}" in str(raised.value)
    assert KEY not in str(raised.value)


def test_every_missing_variable_is_named():
    with pytest.raises(ConfigError) as raised:
        resolve_secret("${A_KEY} ${B_KEY}", {"A_KEY": ""})
    assert [problem.message for problem in raised.value.problems] == [
        "the environment variable `A_KEY` is not set",
        "the environment variable `B_KEY` is not set",
    ]


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        "sk-ant-api03-" + "x" * 30,
        "AKIA" + "ABCDEFGH23456789",
        "ghp_" + "a" * 36,
        "xoxb-123456789012-abcdef",
        "AIza" + "b" * 35,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "Authorization: Bearer abc123def456ghi789",
        "hf_" + "c" * 34,
        "https://user:hunter22@example.org/x",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_known_shapes_are_found_and_redacted(text):
    assert looks_like_secret(text)
    assert looks_like_secret(redact(f"said {text} again")) is None


@pytest.mark.parametrize(
    "text",
    [
        "${OPENAI_API_KEY}",
        "Bearer ${TOKEN}",
        "the task-sk-learning module",
        "sk-learn-is-a-nice-library-name",
        "https://example.org/a:b@c",
        "https://user:${PASSWORD}@example.org",
        "Basic questions about billing",
        "bearer of the good news arrives",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text):
    assert looks_like_secret(text) is None
    assert redact(text) == text


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("api_key", "9f8e7d6c5b4a39281706f5e4", True),
        ("headers.X-Api-Key", "9f8e7d6c5b4a39281706f5e4", True),
        ("password", "hunter2", True),
        ("password", "${PASSWORD}", False),
        ("token", "answer", False),
        ("max_tokens", 4096, False),
        ("api_key", "{{ input.key }}", False),
        ("question", "9f8e7d6c5b4a39281706f5e4", False),
        ("idempotency_key", "9f8e7d6c5b4a39281706f5e4", False),
    ],
)
def test_key_named_fields(name, value, found):
    assert (secret_in_field(name, value) is not None) is found


def test_places_of_secrets_in_a_suite():
    suite = {"target": {"headers": {"Authorization": f"Bearer {KEY}"}}, "list": ["x", KEY], "ok": "${K}"}
    assert [path for path, _ in find_secrets(suite)] == [("target", "headers", "Authorization"), ("list", 1)]


def test_header_values_by_reference_are_secrets_and_literal_ones_are_checked():
    assert isinstance(resolve_text("Bearer ${T}", {"T": "x"}, key="headers.Authorization"), Secret)
    assert resolve_text("application/json", {}, key="headers.Accept") == "application/json"
    with pytest.raises(ConfigError):
        resolve_text(f"Bearer {KEY}", {}, key="headers.Authorization")


def test_the_variable_inside_a_secret_is_hidden_alone_too():
    secret = resolve_secret("Bearer ${T}", {"T": "opaque-value"})
    assert redact("invalid token opaque-value", [secret]) == "invalid token [redacted]"


def test_a_shown_address_keeps_its_host_and_hides_keys():
    environment = {"SUPPORT_URL": "https://support.example", "SUPPORT_TOKEN": "very-private"}
    shown = expand_public("${SUPPORT_URL}/x?t=${SUPPORT_TOKEN}", environment)
    assert shown == "https://support.example/x?t=${SUPPORT_TOKEN}"
