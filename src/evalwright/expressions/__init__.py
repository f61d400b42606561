"""The small language of slices and filters: paths and CEL expressions over a case or its result.

An expression is text in the Common Expression Language (https://cel.dev), the language of Kubernetes' rules. It sees
one case at a time by these names:

- `id`, `input`, `expected`, `metadata`, `tags`, `cluster`: the case;
- `output`, `scores`, `error`, `trial`: what a run recorded for it (`unit_view` only).

`metadata.locale == "de" && length(input.question) > 800` is a condition, `metadata.locale` alone is a *path*. A path
gives None where a key is missing. In any other expression a missing key, a null or a value of the wrong kind leaves
the whole expression without a value for that case (`value` is None, `truth` is False, `explain` says why);
`has(metadata.locale)` asks whether a key is there and `get(metadata, "locale", "en")` gives a default. Beside CEL's
own functions there are `length`, `words`, `lower`, `upper`, `trim`, `contains` and `get` (see `functions`).

Nothing but data is in reach: no names of Python, no files, no network. The text, its nesting and the lists that
`map`, `filter`, `all` and `exists` may walk are limited, and `matches` runs in linear time.
"""

from evalwright.expressions.failures import ExpressionError
from evalwright.expressions.language import Expression, compile_expression
from evalwright.expressions.views import case_view, unit_view

__all__ = [
    "Expression",
    "ExpressionError",
    "case_view",
    "compile_expression",
    "unit_view",
]
