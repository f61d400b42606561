"""Words of a text in any script."""

from __future__ import annotations

import re

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['’][^\W_{_CJK}]+)*")
_ALPHANUMERIC = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def words(text: str) -> list[str]:
    """Words as a reader counts them; an apostrophe inside a word belongs to it, a Chinese or Japanese sign is a word.

    Example:
        >>> words("Don't worry: 日本 3 times")
        ["Don't", 'worry', '日', '本', '3', 'times']
    """
    return _WORD.findall(text)


def runs(text: str) -> list[str]:
    """Lower-cased runs of letters and digits; a Chinese or Japanese sign is a run of its own.

    Example:
        >>> runs("Don't pay 3.50 €")
        ['don', 't', 'pay', '3', '50']
    """
    return _ALPHANUMERIC.findall(text.lower())
