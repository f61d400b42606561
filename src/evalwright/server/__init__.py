"""The workbench's server: HTTP only. What a page needs is computed in `services`."""

from __future__ import annotations
