"""Answers from retrieved passages: groundedness, context, completeness, citations, abstention. No model needed."""
