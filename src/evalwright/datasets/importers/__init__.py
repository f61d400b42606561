"""What other tools wrote, read into cases, answers, labels and scorers of ours.

Each format is a module with a function that reads a `Source` and yields items (`items.py`): cases and bad rows, what
systems answered, labels people gave, the checks the other tool made, and its figures.
"""

from evalwright.datasets.importers.formats import FORMATS, QUERIES, guess_format, read_import
from evalwright.datasets.importers.items import Answer, Check, Figures, Item, Label, Mapping, Note, TargetHint
from evalwright.datasets.importers.query import Query, read_query
from evalwright.datasets.importers.source import Source

__all__ = [
    "Answer",
    "Check",
    "FORMATS",
    "Figures",
    "Item",
    "Label",
    "Mapping",
    "Note",
    "QUERIES",
    "Query",
    "Source",
    "TargetHint",
    "guess_format",
    "read_import",
    "read_query",
]
