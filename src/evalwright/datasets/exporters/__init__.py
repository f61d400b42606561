"""Cases as other tools read them."""

from evalwright.datasets.exporters.files import EXPORTERS, export_cases
from evalwright.datasets.exporters.label_studio import annotated_tasks, tasks_text

__all__ = ["EXPORTERS", "annotated_tasks", "export_cases", "tasks_text"]
