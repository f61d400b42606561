"""The dialects by the name users write."""

from __future__ import annotations

from collections.abc import Callable

from evalwright.models.chat import Dialect
from evalwright.models.openai import AzureChat, OpenAIChat

DIALECTS: dict[str, Callable[[], Dialect]] = {
    "openai": OpenAIChat,
    "azure": AzureChat,
}
"""Name to a maker of the dialect."""
