"""The Quillhour help-centre assistant: the example product that Evalwright's example suites measure.

Quillhour is an invented company for time tracking, projects and invoices; its help articles were
written for this example. The assistant works without a network: BM25 finds passages, an extractive
answerer quotes the best sentences with their source, and says "I don't know" when the passages do
not cover the question.
"""

from helpdesk.assistant import Assistant, Reply, Turn
from helpdesk.errors import HelpdeskError

__all__ = ["Assistant", "HelpdeskError", "Reply", "Turn"]
