"""Cases as other tools read them."""

from evalwright.datasets.exporters.files import EXPORTERS, export_cases

__all__ = ["EXPORTERS", "export_cases"]
