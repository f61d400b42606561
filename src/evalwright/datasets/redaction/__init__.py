"""Personal data and secrets taken out of cases and files, with the same stand-in for the same text."""

from evalwright.datasets.redaction.redactor import Redactor, Report
from evalwright.datasets.redaction.restoring import restore

__all__ = ["Redactor", "Report", "restore"]
