"""Who may come in: principals, cookies, limits, headers."""

from __future__ import annotations
