"""List prices of common models as the providers published them, known to us on `AS_OF`; they change often.

US dollars per million tokens: input, output, and cached input where the provider gives a discount. Other prices hold
for long prompts (over 100,000 to 272,000 tokens, by model), batch or priority service and cache writes. A model that
is not listed has no price, rather than a guessed one: put your own in front with a price file.
"""

from __future__ import annotations

AS_OF = "2026-11-01"
"""Date of the list."""

BUILT_IN: dict[str, tuple[float, ...]] = {
    "gpt-6-astra": (10.0, 50.0, 1.0),
    "gpt-6-sol": (2.0, 10.0, 0.2),
    "gpt-6-luna": (0.1, 0.5, 0.01),
    "gpt-5.6-terra": (2.0, 12.0, 0.2),
    "gpt-5.6-luna": (0.2, 1.2, 0.02),
    "gpt-5.5": (5.0, 30.0, 0.5),
    "gpt-5.4": (2.5, 15.0, 0.25),
    "gpt-5.4-mini": (0.75, 4.5, 0.075),
    "gpt-5.4-nano": (0.2, 1.25, 0.02),
    "gpt-5.1": (1.25, 10.0, 0.125),
    "gpt-5": (1.25, 10.0, 0.125),
    "gpt-5-mini": (0.25, 2.0, 0.025),
    "gpt-5-nano": (0.05, 0.4, 0.005),
    "gpt-4.1": (2.0, 8.0, 0.5),
    "gpt-4.1-mini": (0.4, 1.6, 0.1),
    "gpt-4.1-nano": (0.1, 0.4, 0.025),
    "gpt-4o": (2.5, 10.0, 1.25),
    "gpt-4o-mini": (0.15, 0.6, 0.075),
    "o1": (15.0, 60.0, 7.5),
    "o3": (2.0, 8.0, 0.5),
    "o3-mini": (1.1, 4.4, 0.55),
    "o4-mini": (1.1, 4.4, 0.275),
    "text-embedding-3-small": (0.02, 0.0),
    "text-embedding-3-large": (0.13, 0.0),
    "claude-fable-5-1": (10.0, 50.0, 0.25),
    "claude-fable-5": (10.0, 50.0, 1.0),
    "claude-opus-5-5": (4.0, 20.0, 0.2),
    "claude-opus-5": (5.0, 25.0, 0.5),
    "claude-opus-4-8": (5.0, 25.0, 0.5),
    "claude-opus-4-7": (5.0, 25.0, 0.5),
    "claude-opus-4-6": (5.0, 25.0, 0.5),
    "claude-opus-4-5": (5.0, 25.0, 0.5),
    "claude-opus-4-1": (15.0, 75.0, 1.5),
    "claude-opus-4": (15.0, 75.0, 1.5),
    "claude-sonnet-5-5": (2.0, 10.0, 0.2),
    "claude-sonnet-5": (2.0, 10.0, 0.2),
    "claude-sonnet-4-6": (3.0, 15.0, 0.3),
    "claude-sonnet-4-5": (3.0, 15.0, 0.3),
    "claude-sonnet-4": (3.0, 15.0, 0.3),
    "claude-3-7-sonnet": (3.0, 15.0, 0.3),
    "claude-3-5-sonnet": (3.0, 15.0, 0.3),
    "claude-haiku-5-5": (0.1, 0.5, 0.01),
    "claude-haiku-4-5": (1.0, 5.0, 0.1),
    "claude-3-5-haiku": (0.8, 4.0, 0.08),
    "claude-3-haiku": (0.25, 1.25, 0.03),
    "gemini-3.8-flash": (0.75, 3.75, 0.075),
    "gemini-3.6-flash": (0.75, 3.75, 0.075),
    "gemini-3.5-flash": (1.5, 9.0),
    "gemini-3.5-flash-lite": (0.3, 2.5),
    "gemini-3.1-pro": (2.0, 12.0),
    "gemini-2.5-pro": (1.25, 10.0),
    "gemini-2.5-flash": (0.3, 2.5),
    "gemini-2.5-flash-lite": (0.1, 0.4),
    "gemini-2.0-flash": (0.1, 0.4),
}
"""Model to its prices."""
