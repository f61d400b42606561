"""Words of a text in any script.

Chinese, Japanese, Thai, Lao, Burmese and Khmer put no spaces between words: there every sign counts as one.
"""

from __future__ import annotations

import re

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_SPACELESS = _CJK + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_SPACELESS}]|[^\W_{_SPACELESS}]+(?:['’][^\W_{_SPACELESS}]+)*")
_ALPHANUMERIC = re.compile(rf"[{_SPACELESS}]|[^\W_{_SPACELESS}]+")
_SIGN = re.compile(f"[{_SPACELESS}]")


def words(text: str) -> list[str]:
    """Words as a reader counts them; an apostrophe inside a word belongs to it.

    Example:
        >>> words("Don't worry: 日本 3 times")
        ["Don't", 'worry', '日', '本', '3', 'times']
    """
    return _WORD.findall(text)


def runs(text: str) -> list[str]:
    """Lower-cased runs of letters and digits.

    Example:
        >>> runs("Don't pay 3.50 €")
        ['don', 't', 'pay', '3', '50']
    """
    return _ALPHANUMERIC.findall(text.lower())


def spaceless(run: str) -> bool:
    """Whether a run is a sign of a script that puts no spaces between words."""
    return len(run) == 1 and not run.isascii() and _SIGN.fullmatch(run) is not None
