"""Golden sets: from rows in files of many shapes to cases, with every bad row named."""

from evalwright.datasets.prepare import Prepared, prepare
from evalwright.datasets.reader import read_rows
from evalwright.datasets.select import select

__all__ = ["Prepared", "prepare", "read_rows", "select"]
