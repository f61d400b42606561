"""Suite files: load, validate with file, line and column, JSON Schema, templates."""

from evalwright.suites.loaded import LoadedSuite
from evalwright.suites.loader import load_suite, validate_suite
from evalwright.suites.python_suite import load_python_suite
from evalwright.suites.target_entry import TargetSpec

__all__ = ["LoadedSuite", "TargetSpec", "load_python_suite", "load_suite", "validate_suite"]
