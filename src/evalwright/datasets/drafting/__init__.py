"""Drafts of cases, made from documents and from cases by templates or a model; a person decides which become cases."""

from evalwright.datasets.drafting.documents import Document, read_documents
from evalwright.datasets.drafting.needles import Needle, NeedleGrid, needle_drafts
from evalwright.datasets.drafting.perturb import KINDS, perturbed
from evalwright.datasets.drafting.questions import TEMPLATE_KINDS, document_drafts
from evalwright.datasets.drafting.record import Draft, DraftState, Origin, Relation, read_drafts, write_drafts

__all__ = [
    "KINDS", "Document", "Draft", "DraftState", "Needle", "NeedleGrid", "Origin", "Relation", "TEMPLATE_KINDS",
    "document_drafts",
    "needle_drafts", "perturbed", "read_drafts", "read_documents", "write_drafts",
]  # fmt: skip
