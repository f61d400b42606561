"""Times as other tools write them."""

from __future__ import annotations

import datetime as dt

from evalwright.core.case import Json

UNKNOWN = float("nan")


def seconds(value: Json) -> float:
    """A time as seconds since the epoch: a number of seconds or milliseconds, or a date in ISO 8601; else NaN.

    Example:
        >>> seconds("1970-01-01T00:01:00Z"), seconds(1_700_000_000_000), seconds("soon")
        (60.0, 1700000000.0, nan)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) / (1000.0 if value > 1e11 else 1.0)
    if not isinstance(value, str):
        return UNKNOWN
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return UNKNOWN
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return aware.timestamp()
