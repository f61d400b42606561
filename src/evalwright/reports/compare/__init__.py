"""Comparisons as people and programs read them: terminal, HTML, Markdown, JSON."""
