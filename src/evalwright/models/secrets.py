"""Keys and tokens: taken by reference from the environment, never written down, found where they should not be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NoReturn

import re2

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem

_REFERENCE = re2.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHAPES: tuple[tuple[str, re2._Regexp], ...] = tuple(
    (name, re2.compile(pattern))
    for name, pattern in (
        ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{16,}"),
        ("an OpenAI-style key", r"\bsk-[A-Za-z0-9_-]{16,}"),
        ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,})"),
        ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{16,}"),
        ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{30,}"),
        ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
        ("a Groq key", r"\bgsk_[A-Za-z0-9]{20,}"),
        ("a Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
        ("an npm token", r"\bnpm_[A-Za-z0-9]{30,}"),
        ("a PyPI token", r"\bpypi-[A-Za-z0-9_-]{50,}"),
        ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
        ("a bearer token", r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]{16,}"),
        ("basic credentials", r"(?i)\bbasic\s+[A-Za-z0-9+/]{12,}={0,2}"),
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("a password in a URL", r"[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@${}]+@"),
    )
)
_NEEDS_DIGIT = {"an OpenAI-style key", "a bearer token", "basic credentials", "a Slack token"}
_KEY_NAME = re2.compile(
    r"(?i)(?:^|[_.\s-])(?:api[_-]?key|x-api-key|apikey|secret|secret[_-]?key|access[_-]?key|private[_-]?key"
    r"|client[_-]?secret|password|passwd|passphrase|token|authorization|credentials?|cookie)$"
)
_PASSWORD_NAME = re2.compile(r"(?i)(?:password|passwd|passphrase|client[_-]?secret)$")
_KEY_VARIABLE = re2.compile(r"(?i)KEY|TOKEN|SECRET|PASS|PWD|AUTH|CREDENTIAL|COOKIE|SIGNATURE")
_REDACTED = "[redacted]"


class Secret:
    """A value that must not be seen: shows the reference it came from, gives the value only through `reveal`.

    Args:
        value: The value to send.
        reference: Text it was made from, with `${NAME}` in it.
        parts: The variables' own values inside it, hidden wherever they appear alone.
    """

    __slots__ = ("_parts", "_value", "reference")

    def __init__(self, value: str, reference: str, parts: Iterable[str] = ()) -> None:
        self._value = value
        self._parts = tuple(parts)
        self.reference = reference

    def reveal(self) -> str:
        """The value itself; only for the call that sends it."""
        return self._value

    def hide(self, text: str) -> str:
        """The text without the value and its parts (those of four characters or more)."""
        for value in (self._value, *self._parts):
            if len(value) >= 4:
                text = text.replace(value, _REDACTED)
        return text

    def within(self, prefix: str, value: str) -> Secret:
        """A secret made from this one: `prefix` and `value`, both hidden like this one's own value."""
        return Secret(prefix + value, self.reference, (value, self._value, *self._parts))

    def __repr__(self) -> str:
        return f"Secret({self.reference})"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled; resolve the reference again where it is needed")


def references(text: str) -> tuple[str, ...]:
    """Names of the environment variables a text refers to as `${NAME}`, in order."""
    return tuple(match.group(1) for match in _REFERENCE.finditer(text))


def resolve_secret(reference: str, environment: Mapping[str, str], *, key: str = "api_key") -> Secret:
    """Read a secret from the environment.

    Args:
        reference: `${NAME}`, possibly inside fixed text such as `Bearer ${NAME}`.
        environment: Environment variables.
        key: Dotted path of the option, for messages.

    Raises:
        ConfigError: The text has no reference (a literal secret), or the variable is not set or empty.
    """
    names = references(reference)
    if not names:
        raise _refused(key, "a key is written here literally")
    value = _filled(reference, environment, key)
    return Secret(value, reference, (environment[name].strip() for name in names))


def resolve_text(text: str, environment: Mapping[str, str], *, key: str) -> Secret | str:
    """Fill `${NAME}` references; a text that has any becomes a `Secret`, one that has none stays itself.

    Raises:
        ConfigError: A variable is not set, or the text holds a literal secret.
    """
    if references(text):
        return resolve_secret(text, environment, key=key)
    refuse_literal_secret(key, text)
    return text


def refuse_literal_secret(key: str, text: str) -> None:
    """Refuse a text that looks like a secret, by its shape or by the name of the option it is given for.

    Raises:
        ConfigError: It looks like one; the message never shows it.
    """
    found = looks_like_secret(text) or secret_in_field(key, text)
    if found:
        raise _refused(key, f"this looks like {found}")


def looks_like_secret(text: str) -> str | None:
    """What kind of secret a text holds, by the shapes providers give their keys.

    Args:
        text: Any text; only its first 20,000 characters are looked at.

    Returns:
        A noun such as `"a GitHub token"`, or None. A `${NAME}` reference is not a secret.

    Example:
        >>> looks_like_secret("Bearer ${TOKEN}") is None
        True
    """
    head = text[:20_000]
    for name, pattern in _SHAPES:
        match = pattern.search(head)
        if match and (name not in _NEEDS_DIGIT or any(char.isdigit() for char in match.group())):
            return name
    return None


def secret_in_field(name: str, value: Json) -> str | None:
    """What a literal value given for a key-named field (`api_key`, `token`, `password` …) looks like.

    A password is anything from four characters without a space; for the others the text must look random: 16
    characters or more without spaces, letters and digits, at least 3 bits of Shannon entropy a character.

    Returns:
        A noun for the message, or None when the field or the value is harmless.
    """
    if not isinstance(value, str) or references(value) or "{{" in value or any(char.isspace() for char in value):
        return None
    leaf = name.rpartition(".")[2]
    if _PASSWORD_NAME.search(leaf) and len(value) >= 4:
        return "a password"
    if _KEY_NAME.search(leaf) and _looks_random(value):
        return "a secret"
    return None


def find_secrets(value: Json, *, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Every place in a JSON value that holds a literal secret, with what it looks like.

    Returns:
        `(path, noun)` pairs; the path's parts are keys and indexes, as pydantic's `loc` gives them.
    """
    if isinstance(value, Mapping):
        return [hit for key, item in value.items() for hit in find_secrets(item, path=(*path, str(key)))]
    if isinstance(value, list | tuple):
        return [hit for index, item in enumerate(value) for hit in find_secrets(item, path=(*path, index))]
    if isinstance(value, str):
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        found = looks_like_secret(value) or secret_in_field(name, value)
        return [(path, found)] if found else []
    return []


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The text with the given secrets' values, and everything that looks like a secret, taken out."""
    for secret in secrets:
        text = secret.hide(text)
    for name, pattern in _SHAPES:
        if name not in _NEEDS_DIGIT or any(char.isdigit() for char in text):
            text = pattern.sub(_REDACTED, text)
    return text


def expand(text: str, environment: Mapping[str, str], *, key: str) -> str:
    """Fill `${NAME}` references in a text that is not secret itself, such as a URL.

    Raises:
        ConfigError: A variable is not set.
    """
    return _filled(text, environment, key)


def expand_public(text: str, environment: Mapping[str, str]) -> str:
    """Like `expand`, for showing: variables with a key-like name stay references, and secrets are taken out."""
    shown = _REFERENCE.sub(
        lambda match: match.group() if _is_private(match.group(1)) else environment.get(match.group(1), ""), text
    )
    return redact(str(shown))


def private_parts(text: str, environment: Mapping[str, str]) -> tuple[Secret, ...]:
    """Secrets for the variables with a key-like name that a text refers to, so that messages can hide their values."""
    names = [name for name in references(text) if _is_private(name) and environment.get(name)]
    return tuple(Secret(environment[name].strip(), f"${{{name}}}") for name in names)


def _is_private(variable: str) -> bool:
    return _KEY_VARIABLE.search(variable) is not None


def _filled(text: str, environment: Mapping[str, str], key: str) -> str:
    missing = [name for name in references(text) if not environment.get(name)]
    if missing:
        raise ConfigError(
            [
                Problem(
                    message=f"the environment variable `{name}` is not set",
                    key=key,
                    hint=f"set it before the run, e.g. `export {name}=…`",
                )
                for name in dict.fromkeys(missing)
            ]
        )
    return str(_REFERENCE.sub(lambda match: environment[match.group(1)].strip(), text))


def _refused(key: str, what: str) -> ConfigError:
    name = "".join(char if char.isalnum() else "_" for char in key.rpartition(".")[2]).upper() or "API_KEY"
    hint = f"put it into an environment variable and refer to it: `${{{name}}}`"
    return ConfigError([Problem(message=f"{what}; secrets are only taken by reference", key=key, hint=hint)])


def _looks_random(value: str) -> bool:
    if len(value) < 16 or not any(char.isdigit() for char in value) or not any(char.isalpha() for char in value):
        return False
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return entropy >= 3.0
