"""List prices of common models, from the providers' public price pages as we knew them on `AS_OF`; they change often.

US dollars per million tokens: input, output, and cached input where the provider gives a discount. For long prompts,
batch or priority service and cache writes other prices may hold. Put your own in front with a price file.
"""

from __future__ import annotations

AS_OF = "2025-10-01"
"""Date of the list."""

BUILT_IN: dict[str, tuple[float, ...]] = {
    "gpt-5": (1.25, 10.0, 0.125),
    "gpt-5-mini": (0.25, 2.0, 0.025),
    "gpt-5-nano": (0.05, 0.4, 0.005),
    "gpt-4.1": (2.0, 8.0, 0.5),
    "gpt-4.1-mini": (0.4, 1.6, 0.1),
    "gpt-4.1-nano": (0.1, 0.4, 0.025),
    "gpt-4o": (2.5, 10.0, 1.25),
    "gpt-4o-mini": (0.15, 0.6, 0.075),
    "gpt-4-turbo": (10.0, 30.0),
    "gpt-4": (30.0, 60.0),
    "gpt-3.5-turbo": (0.5, 1.5),
    "o1": (15.0, 60.0, 7.5),
    "o3": (2.0, 8.0, 0.5),
    "o3-mini": (1.1, 4.4, 0.55),
    "o4-mini": (1.1, 4.4, 0.275),
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
    "text-embedding-ada-002": (0.1, 0.0),
    "claude-opus-4-1": (15.0, 75.0, 1.5),
    "claude-opus-4": (15.0, 75.0, 1.5),
    "claude-sonnet-4-5": (3.0, 15.0, 0.3),
    "claude-sonnet-4": (3.0, 15.0, 0.3),
    "claude-3-7-sonnet": (3.0, 15.0, 0.3),
    "claude-3-5-sonnet": (3.0, 15.0, 0.3),
    "claude-3-5-haiku": (0.8, 4.0, 0.08),
    "claude-3-opus": (15.0, 75.0, 1.5),
    "claude-3-haiku": (0.25, 1.25, 0.03),
    "gemini-2.5-pro": (1.25, 10.0, 0.31),
    "gemini-2.5-flash": (0.3, 2.5, 0.075),
    "gemini-2.5-flash-lite": (0.1, 0.4, 0.025),
    "gemini-2.0-flash": (0.1, 0.4, 0.025),
    "gemini-2.0-flash-lite": (0.075, 0.3),
}
"""Model to its prices."""
