"""Revisions of the catalog's tables, applied when a catalog is opened."""

from __future__ import annotations

from pathlib import Path

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""All revisions, oldest first."""

HEAD = REVISIONS[-1]
FOLDER = Path(__file__).parent
