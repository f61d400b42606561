"""The dialects by the name users write."""

from __future__ import annotations

from collections.abc import Callable

from evalwright.models.anthropic import AnthropicMessages
from evalwright.models.chat import Dialect
from evalwright.models.gemini import GeminiContent
from evalwright.models.openai import AzureChat, OpenAIChat
from evalwright.models.responses import OpenAIResponses

DIALECTS: dict[str, Callable[[], Dialect]] = {
    "openai": OpenAIChat,
    "responses": OpenAIResponses,
    "azure": AzureChat,
    "anthropic": AnthropicMessages,
    "gemini": GeminiContent,
}
"""Name to a maker of the dialect."""
